//! The schemas of a bundle's files: published, and the ones that files are compared with.

use std::sync::LazyLock;

use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};
use jsonschema::{ValidationError, Validator};
use serde_json::Value;

use super::shown::quoted;
use crate::rules::words;

/// How many faults of one document are told.
const MOST_FAULTS: usize = 20;

words! {
    /// The schemas, JSON Schema draft 2020-12.
    pub enum Schema {
        /// Of `migration.yml`.
        Declaration = "govdeck.migration-declaration.v1",
        /// Of both baselines.
        Baseline = "govdeck.baseline.v1",
        /// Of the summary of the diff.
        DiffSummary = "govdeck.diff-summary.v1",
        /// Of receipts.
        RunReceipt = "govdeck.run-receipt.v1",
        /// Of pointers to receipts.
        ReceiptRef = "govdeck.receipt-ref.v1",
        /// Of the registry.
        Registry = "govdeck.migration-registry.v1",
    }
}

/// What is wrong with a value by its schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The steps to the value.
    pub path: Vec<String>,
    /// The member that is too much there, when one is.
    pub unknown: Option<String>,
    /// The member that is missing there, when one is.
    pub missing: Option<String>,
    /// What is wrong, in words that are safe to show and repeat no value.
    pub what: String,
    /// Whether it is about how a digest is written.
    pub is_digest: bool,
    /// Whether it is about a value's type.
    pub is_type: bool,
}

impl Schema {
    /// Returns the text that is published.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Declaration => include_str!("schemas/migration-declaration.v1.json"),
            Self::Baseline => include_str!("schemas/baseline.v1.json"),
            Self::DiffSummary => include_str!("schemas/diff-summary.v1.json"),
            Self::RunReceipt => include_str!("schemas/run-receipt.v1.json"),
            Self::ReceiptRef => include_str!("schemas/receipt-ref.v1.json"),
            Self::Registry => include_str!("schemas/migration-registry.v1.json"),
        }
    }

    /// Compares a value; nothing is found when it is as it should be.
    #[must_use]
    pub fn faults(self, value: &Value) -> Vec<Fault> {
        static ALL: LazyLock<Vec<Option<Validator>>> = LazyLock::new(|| {
            let compile = |schema: &Schema| {
                let text = serde_json::from_str(schema.text()).ok()?;
                jsonschema::draft202012::new(&text).ok()
            };
            Schema::ALL.iter().map(compile).collect()
        });
        match ALL.get(self as usize) {
            Some(Some(validator)) => {
                let errors = validator.iter_errors(value).take(MOST_FAULTS);
                errors.map(|error| Fault::of(&error)).collect()
            }
            // A schema that does not compile lets nothing pass.
            _ => vec![Fault {
                path: Vec::new(),
                unknown: None,
                missing: None,
                what: "the schema of the program itself cannot be used".to_owned(),
                is_digest: false,
                is_type: false,
            }],
        }
    }
}

impl Fault {
    fn of(error: &ValidationError<'_>) -> Self {
        let pointer = error.instance_path().as_str();
        let step = |step: &str| step.replace("~1", "/").replace("~0", "~");
        let (mut unknown_member, mut missing) = (None, None);
        let kind = error.kind();
        let is_digest = matches!(kind, Kind::Pattern { pattern } if pattern.contains("sha256:"));
        let what = match kind {
            Kind::AdditionalProperties { unexpected } => {
                unknown_member = unexpected.first().cloned();
                let unknown: Vec<_> = unexpected.iter().take(5).map(|name| quoted(name)).collect();
                format!("unknown field {}", unknown.join(", "))
            }
            Kind::Required { property } => {
                missing = property.as_str().map(str::to_owned);
                format!("{property} is missing")
            }
            Kind::Type { kind } => format!("expected {}", type_words(kind)),
            Kind::Pattern { .. } if is_digest => {
                "a digest is `sha256:` and 64 lower-case hexadecimal digits".to_owned()
            }
            Kind::Pattern { pattern } if pattern.starts_with("[^ ") => {
                "there is nothing to read in it".to_owned()
            }
            Kind::Pattern { pattern } => format!("it is not of the form {pattern}"),
            Kind::Enum { options } => format!("it is none of {options}"),
            Kind::Constant { expected_value } => format!("it is not {expected_value}"),
            Kind::MinItems { limit } => format!("fewer than {limit} entries"),
            Kind::MaxItems { limit } => format!("more than {limit} entries"),
            Kind::MinLength { limit } => format!("shorter than {limit} characters"),
            Kind::MaxLength { limit } => format!("longer than {limit} characters"),
            Kind::Minimum { limit } => format!("less than {limit}"),
            Kind::Maximum { limit } => format!("more than {limit}"),
            Kind::UniqueItems => "an entry stands twice".to_owned(),
            Kind::OneOfNotValid { .. } | Kind::OneOfMultipleValid { .. } => {
                "exactly one field must name the version, `receipt_version`".to_owned()
            }
            _ => format!("it does not pass `{}` of the schema", kind.keyword()),
        };
        Self {
            path: pointer.split('/').skip(1).map(step).collect(),
            unknown: unknown_member,
            missing,
            what,
            is_digest,
            is_type: matches!(kind, Kind::Type { .. }),
        }
    }

    /// Writes the steps to the value as a reader would, `a.b[0]`; nothing for the whole.
    #[must_use]
    pub fn field(&self) -> String {
        let mut field = String::new();
        for step in &self.path {
            if step.bytes().all(|byte| byte.is_ascii_digit()) {
                field = format!("{field}[{step}]");
            } else {
                let dot = if field.is_empty() { "" } else { "." };
                let plain = step
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
                let step = if plain { step.clone() } else { quoted(step) };
                field = format!("{field}{dot}{step}");
            }
        }
        field
    }

    /// Says what is wrong and in which field.
    #[must_use]
    pub fn sentence(&self) -> String {
        match self.field() {
            whole if whole.is_empty() => self.what.clone(),
            field => format!("{field}: {}", self.what),
        }
    }
}

fn type_words(kind: &TypeKind) -> String {
    match kind {
        TypeKind::Single(one) => match one.to_string().as_str() {
            "string" => "a text".to_owned(),
            "integer" => "a whole number".to_owned(),
            "object" => "fields with names".to_owned(),
            "array" => "a list".to_owned(),
            "boolean" => "true or false".to_owned(),
            other => other.to_owned(),
        },
        TypeKind::Multiple(_) => "another type".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_schema_says_its_own_name_and_compiles() {
        for schema in Schema::ALL {
            let text: Value = serde_json::from_str(schema.text()).expect("JSON");
            assert_eq!(text["title"], schema.word());
            assert_eq!(
                text["$schema"],
                "https://json-schema.org/draft/2020-12/schema"
            );
            assert!(jsonschema::draft202012::meta::is_valid(&text), "{schema}");
            let found = schema.faults(&Value::Null);
            assert_eq!(found[0].sentence(), "expected fields with names");
        }
    }
}
