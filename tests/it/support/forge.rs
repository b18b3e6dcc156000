//! A forger whom nothing in the database can stop: an entry is rebuilt with another card and other rows, and every hash,
//! from there to the head, is right again. What is still found is found by what the entry says.

use std::fmt::Write as _;

use govdeck::canon::{self, Digest};
use govdeck::store::ledger::{self, Change};
use govdeck::store::{View, artifact};
use serde_json::Value;

use super::World;

/// An entry about to be rebuilt.
pub struct Forged {
    /// Its decision card.
    pub card: Value,
    /// Its changes, each with its image.
    pub changes: Vec<(Change, Value)>,
}

impl Forged {
    /// Finds the image of the change of a table.
    pub fn image(&mut self, table: &str) -> &mut Value {
        let mut changes = self.changes.iter_mut();
        let found = changes.find(|(change, _)| change.table_name == table);
        &mut found.expect("it changes the table").1
    }

    /// Finds what the card says of a column.
    pub fn said(&mut self, field: &str) -> &mut Value {
        let fields = self.fields();
        let found = fields.iter_mut().find(|said| said["field"] == field);
        found.expect("the card names it")
    }

    /// Lists what the card says of all columns of the first row it names.
    pub fn fields(&mut self) -> &mut Vec<Value> {
        let fields = &mut self.card["changes"][0]["fields"];
        fields.as_array_mut().expect("fields")
    }

    /// Takes a column off the card.
    pub fn hide(&mut self, field: &str) {
        let before = self.fields().len();
        self.fields().retain(|said| said["field"] != field);
        assert_eq!(self.fields().len(), before - 1, "{field} was on the card");
    }
}

fn bytes_of(value: &Value) -> Vec<u8> {
    canon::canonical(value.to_string()).expect("canonical")
}

fn literal(value: &Value) -> String {
    match value {
        Value::Null => "NULL".to_owned(),
        Value::Bool(true) => "TRUE".to_owned(),
        Value::Bool(false) => "FALSE".to_owned(),
        Value::String(text) => quoted(text),
        other => other.to_string(),
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

impl World {
    /// Rebuilds an entry, the rows that it wrote, and the chain behind it.
    pub async fn forge(&self, seq: i64, edit: impl FnOnce(&mut Forged)) {
        let store = self.store("maya").await;
        let mut view = store.view().await.expect("a view");
        let entry = ledger::entries(&mut view, seq, 1).await.expect("read");
        let entry = entry.into_iter().next().expect("an entry");
        let card = artifact::bytes(&mut view, entry.card_sha256).await;
        let card = card.expect("read").expect("a card");
        let changes = ledger::changes(&mut view, seq, seq).await.expect("read");
        drop(view);
        store.close().await;
        let mut forged = Forged {
            card: serde_json::from_slice(&card).expect("JSON"),
            changes: changes
                .into_iter()
                .map(|change| {
                    let image = serde_json::from_str(&change.after_image).expect("JSON");
                    (change, image)
                })
                .collect(),
        };
        edit(&mut forged);
        self.file_card(seq, &forged.card);
        for (change, image) in &forged.changes {
            self.write_change(change, image);
        }
        self.chain_anew(seq).await;
    }

    fn file_card(&self, seq: i64, card: &Value) {
        let bytes = bytes_of(card);
        let sha256 = Digest::of(&bytes);
        let mut hex = String::new();
        for byte in &bytes {
            let _ = write!(hex, "{byte:02x}");
        }
        let bytes = if self.is_postgres() {
            format!("decode('{hex}', 'hex')")
        } else {
            format!("x'{hex}'")
        };
        self.tamper_as_superuser(
            "artifact",
            &format!(
                "INSERT INTO artifact SELECT '{sha256}', a.media_type, {bytes}, a.created_at_utc FROM artifact a \
                 JOIN governance_ledger l ON l.card_sha256 = a.sha256 WHERE l.seq = {seq} AND NOT EXISTS (SELECT 1 FROM artifact o WHERE o.sha256 = '{sha256}')"
            ),
        );
        self.tamper_as_superuser(
            "governance_ledger",
            &format!("UPDATE governance_ledger SET card_sha256 = '{sha256}' WHERE seq = {seq}"),
        );
    }

    /// Writes an image into the ledger and into its row, at the version that the image says.
    fn write_change(&self, change: &Change, image: &Value) {
        let bytes = bytes_of(image);
        let (sha256, text) = (Digest::of(&bytes), String::from_utf8(bytes).expect("text"));
        let (table, key, version) = (&change.table_name, &change.row_key, &image["version"]);
        self.tamper_as_superuser(
            "ledger_change",
            &format!(
                "UPDATE ledger_change SET after_image = {}, row_sha256 = '{sha256}', version = {version} \
                 WHERE table_name = '{table}' AND row_key = '{key}' AND version = {}",
                quoted(&text),
                change.version
            ),
        );
        let columns = image.as_object().expect("a row");
        let sets: Vec<_> = columns
            .iter()
            .map(|(name, value)| format!("{name} = {}", literal(value)))
            .collect();
        let of_table = govdeck::store::tables::table(table).expect("a table");
        let place = govdeck::store::tables::row_key_sql(of_table.key, "");
        self.tamper_as_superuser(
            table,
            &format!(
                "UPDATE {table} SET {} WHERE {place} = '{key}' AND version = {}",
                sets.join(", "),
                change.version
            ),
        );
    }

    /// Hashes every entry anew from a position on, each over the one before it, and moves the head to the last.
    pub async fn chain_anew(&self, from: i64) {
        let store = self.store("maya").await;
        let mut view = store.view().await.expect("a view");
        let (mut prev, hashes) = hashes_from(&mut view, from).await;
        drop(view);
        store.close().await;
        for (seq, hash) in hashes {
            self.tamper_as_superuser(
                "governance_ledger",
                &format!("UPDATE governance_ledger SET prev_hash = '{prev}', hash = '{hash}' WHERE seq = {seq}"),
            );
            prev = hash;
        }
        self.tamper_as_superuser(
            "ledger_head",
            &format!("UPDATE ledger_head SET hash = '{prev}'"),
        );
    }
}

/// Computes the hashes that entries must have from a position on, and the one that the first of them follows.
async fn hashes_from(view: &mut View, from: i64) -> (Digest, Vec<(i64, Digest)>) {
    let entries = ledger::entries(view, from, i64::MAX).await.expect("read");
    let first = entries.first().expect("an entry").prev_hash;
    let (mut prev, mut hashes) = (first, Vec::new());
    for mut entry in entries {
        let changes = ledger::changes(view, entry.seq, entry.seq).await;
        let evidence = ledger::evidence(view, entry.seq, entry.seq).await;
        entry.prev_hash = prev;
        prev = entry
            .computed_hash(&changes.expect("read"), &evidence.expect("read"))
            .expect("a hash");
        hashes.push((entry.seq, prev));
    }
    (first, hashes)
}
