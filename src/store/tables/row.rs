//! How a governed row is declared.

/// Declares a governed row once: its struct, its table, its columns and how it is written.
macro_rules! governed {
    ($(#[$meta:meta])* pub struct $Row:ident in $table:literal keyed by ($($key:ident),+) {
        $($(#[$field_meta:meta])* pub $field:ident: $ty:ty,)+
    }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, sqlx::FromRow)]
        pub struct $Row { $($(#[$field_meta])* pub $field: $ty,)+ }

        impl $Row {
            /// The columns, in their fixed order.
            pub const COLUMNS: &'static [&'static str] = &[$(stringify!($field)),+];
            /// The table's name.
            pub const TABLE: &'static str = $table;

            /// Reads a page of rows in key order, as images, for verification.
            pub(in crate::store) fn images<'a>(
                view: &'a mut $crate::store::View,
                after: &'a str,
                most: i64,
            ) -> $crate::store::tables::Boxed<'a, Result<$crate::store::tables::ImagePage, $crate::store::StoreError>> {
                Box::pin(async move {
                    let sql = $crate::store::tables::page_sql($table, Self::COLUMNS);
                    let rows: Vec<Self> = $crate::store::view::on!(view, c => {
                        $crate::store::view::query_as(sqlx::AssertSqlSafe(sql)).bind(after).bind(most).fetch_all(c).await
                    })?;
                    rows.iter().map(|row| {
                        use $crate::store::tables::GovernedRow as _;
                        Ok((row.key(), row.version, row.image()?))
                    }).collect()
                })
            }
        }

        impl $crate::store::tables::GovernedRow for $Row {
            fn table(&self) -> &'static str {
                $table
            }

            fn key(&self) -> String {
                $crate::store::tables::row_key(&[$(self.$key.to_string()),+])
            }

            fn version(&self) -> i64 {
                self.version
            }

            fn image(&self) -> Result<Vec<u8>, $crate::store::StoreError> {
                $crate::store::tables::image_of(self)
            }

            fn write<'a>(
                &'a self,
                view: &'a mut $crate::store::View,
            ) -> $crate::store::tables::Boxed<'a, Result<u64, $crate::store::StoreError>> {
                Box::pin(async move {
                    let sql = $crate::store::tables::write_sql($table, Self::COLUMNS, self.version);
                    let hit = $crate::store::view::on!(view, c => {
                        $crate::store::view::query(sqlx::AssertSqlSafe(sql))$(.bind(&self.$field))+.execute(c).await?.rows_affected()
                    });
                    Ok(hit)
                })
            }
        }
    };
}
pub(in crate::store) use governed;
