//! What whoever looks may do with the selected row.

use super::super::model::Model;
use super::super::theme::Token;
use super::super::ui::Parts;

/// Says what can be done with the selected row, and what not, and why.
#[must_use]
pub fn you_may(model: &Model, kind: &str) -> Vec<Parts> {
    you_may_now(model, kind, None, |_| true)
}

/// Says what can be done with the selected row, and why not what comes now; what comes later is in the way where people read.
/// The action that comes next stands first.
#[must_use]
pub fn you_may_now(
    model: &Model,
    kind: &str,
    next: Option<&str>,
    comes_now: impl Fn(&str) -> bool,
) -> Vec<Parts> {
    let Some(picture) = model.picture.as_ref() else {
        return Vec::new();
    };
    if let Some(refusal) = model.not_in_the_past() {
        let said = format!(
            "{}: nothing is done here; {}",
            refusal.sentence, refusal.hint
        );
        return vec![vec![(Token::Muted, said)]];
    }
    if picture.wanted.about != model.about() {
        return vec![vec![(Token::Muted, "looking what you may do".to_owned())]];
    }
    let (mut may, mut once_armed) = (Vec::new(), Vec::new());
    let mut not = Vec::new();
    let of_kind = picture.possible.iter();
    let mut of_kind: Vec<_> = of_kind.filter(|it| it.entry.kind == kind).collect();
    of_kind.sort_by_key(|possible| Some(possible.entry.verb) != next);
    for possible in of_kind {
        let name = possible.entry.name();
        match &possible.refusal {
            None => {
                let keys = model.start.keymap.action(possible.entry);
                let is_closed = model.not_armed(possible.entry).is_some();
                let list = if is_closed { &mut once_armed } else { &mut may };
                list.push(format!("{name} ({keys})"));
            }
            Some(refusal) if comes_now(possible.entry.verb) => {
                not.push(format!("{name}: {}", refusal.sentence));
            }
            Some(_) => {}
        }
    }
    if picture.actor.is_none() {
        return vec![vec![(
            Token::Muted,
            format!("the login {} may only look", picture.login),
        )]];
    }
    let mut lines = Vec::new();
    if may.is_empty() && once_armed.is_empty() {
        lines.push(vec![(Token::Muted, "you may look".to_owned())]);
    }
    let said = [("you may: ", may), ("once armed: ", once_armed)];
    for (label, names) in said.into_iter().filter(|(_, names)| !names.is_empty()) {
        lines.push(vec![
            (Token::Muted, label.to_owned()),
            (Token::KeyHint, names.join(", ")),
        ]);
    }
    for refusal in not {
        lines.push(vec![(Token::Muted, format!("not {refusal}"))]);
    }
    lines
}
