//! People: who may do what, how they are known, and what they did last.

use ratatui::layout::Rect;

use crate::actions::ENTRIES;
use crate::clock::Moment;
use crate::rules::people::{Attestation, Basis, PersonKind, Role};
use crate::rules::permission::{APPROVE, ASK_APPROVAL, DECLINE, MATRIX, Share, share_of};
use crate::rules::text::shorten;
use crate::store::people::{Listed, PERSON_FIELDS, PersonSort};
use crate::store::person::Person;

use super::super::detail::PersonDetail;
use super::super::list::{Identified, Listing, Sorts};
use super::super::model::Model;
use super::super::picture::Picture;
use super::super::table::{Cell, Column, Table};
use super::super::theme::Token;
use super::super::ui::{Parts, Pen};

impl Identified for Listed {
    fn id(&self) -> String {
        self.person.person_id.clone()
    }
}

impl Sorts for PersonSort {
    const SORTS: &'static [Self] = Self::ALL;
    const FIELDS: &'static [&'static str] = PERSON_FIELDS;
}

pub(super) const COLUMNS: &[Column] = &[
    Column::new("PERSON", 10, 0),
    Column::new("STATE", 8, 0),
    Column::new("HERE", 5, 2),
    Column::new("KEYS", 4, 2),
    Column::new("LAST ACTION", 15, 1),
    Column::new("KIND", 7, 3),
    Column::new("ROLES", 22, 0),
];

fn spoken(roles: &str) -> String {
    roles.replace(' ', ", ").replace('_', " ")
}

fn armed_until(picture: &Picture, person: &str, now: Moment) -> Option<Moment> {
    let armed = picture
        .armed
        .iter()
        .filter(|armed| armed.person_id == person);
    let until = armed.map(|armed| armed.armed_until_utc).max();
    until.filter(|until| now < *until)
}

/// Tells whether the server knows of a session under somebody's login.
fn is_connected(picture: &Picture, listed: &Listed) -> bool {
    let login = listed.person.login.as_ref();
    let connected = picture.connected.as_ref();
    connected
        .zip(login)
        .is_some_and(|(all, own)| all.contains(own))
}

/// Says for the title how many logins are connected; nothing where no server knows.
fn how_many_connected(picture: &Picture, dot: &str) -> String {
    let connected = picture.connected.as_ref();
    connected.map_or_else(String::new, |all| format!(" {dot} {} connected", all.len()))
}

/// Tells whether an active person holds no role, or is a signer without a key.
#[must_use]
pub fn needs_somebody(listed: &Listed) -> bool {
    let is_human = listed.person.active && listed.person.kind == PersonKind::Human;
    let mut roles = listed.roles.split(' ');
    let signs = roles.any(|role| role == Role::Signer.word());
    is_human && (listed.roles.is_empty() || (signs && listed.valid_keys == 0))
}

/// Says whether somebody may act at all, in a word and its look.
pub(in crate::console) fn state(person: &Person) -> (Token, &'static str) {
    if person.active {
        (Token::StatusOk, "active")
    } else {
        (Token::StatusDanger, "INACTIVE")
    }
}

pub(super) fn cells(model: &Model, listed: &Listed) -> Vec<Cell> {
    let person = &listed.person;
    let is_armed = model.picture.as_ref().zip(model.now()).is_some_and(|at| {
        let (picture, now) = at;
        armed_until(picture, &person.person_id, now).is_some()
    });
    let (token, word) = state(person);
    let name = if person.active {
        Token::Fg
    } else {
        Token::Muted
    };
    let is_here = model
        .picture
        .as_ref()
        .is_some_and(|picture| is_connected(picture, listed));
    let here = match (is_armed, is_here) {
        (true, _) => (Token::ModeArmed, "ARMED"),
        (false, true) => (Token::ModeReadonly, "looks"),
        (false, false) => (Token::Muted, ""),
    };
    let last = listed.last_at_utc;
    let roles = if listed.roles.is_empty() {
        (Token::Muted, "no role".to_owned())
    } else {
        (name, spoken(&listed.roles))
    };
    vec![
        (name, person.person_id.clone()),
        (token, word.to_owned()),
        (here.0, here.1.to_owned()),
        (Token::Fg, format!("{:>4}", listed.valid_keys)),
        (
            Token::Muted,
            last.map_or("never".to_owned(), |at| model.date_and_clock(at)),
        ),
        (Token::Muted, person.kind.to_string()),
        roles,
    ]
}

/// Draws the pane.
pub fn draw(model: &Model, pen: &mut Pen<'_>, area: Rect) {
    let Some(picture) = &model.picture else {
        return;
    };
    let rows = &picture.people.rows;
    let selected = model.people.position(&picture.people);
    // The line below the list takes a row too.
    let (list, detail) = super::split(model, area, rows.len() + 1);
    if list.height > 0 {
        let dot = pen.glyphs.dot();
        let title = format!(
            "People{} {dot} sort {}{}{}",
            super::filter_word(&model.people.filter_text),
            model.people.look.sort,
            super::order_word(model.people.look.order),
            how_many_connected(picture, dot),
        );
        let inside = pen.frame(list, &title, Token::BorderFocus);
        let (table_area, line) = super::above_a_line(inside);
        let nothing = super::nothing_passes(model);
        let table = Table {
            columns: COLUMNS,
            rows,
            selected,
            cells: &|listed| cells(model, listed),
        };
        super::rows(
            pen,
            (list, table_area),
            &model.people,
            &picture.people,
            &table,
            (Token::Muted, &nothing),
        );
        if let Some(y) = line {
            let line = [(Token::Muted, asked_in_short(picture))];
            let room = inside.width.saturating_sub(2);
            pen.parts(inside.x + 2, y, room, &line);
        }
    }
    if detail.height > 0 {
        let listed = selected.and_then(|at| rows.get(at));
        let title = listed.map_or("nobody selected", |listed| &listed.person.display_name);
        pen.frame(detail, title, Token::Border);
        let lines = match listed {
            Some(listed) => explain(model, picture, listed),
            None if model.people.selected.is_some() => vec![vec![(
                Token::StatusStale,
                "this person is not in the list: the filter hides them".to_owned(),
            )]],
            None => Vec::new(),
        };
        super::detail(model, pen, detail, &lines);
    }
}

/// Says in a line what the policy asks: each level of certainty with the classes that ask for it.
fn asked_in_short(picture: &Picture) -> String {
    let of_level = |level: &Attestation| {
        let classes = picture
            .policies
            .iter()
            .filter(|asks| asks.minimum == *level);
        let words: Vec<_> = classes.map(|asks| asks.class.word()).collect();
        (!words.is_empty()).then(|| format!("{level} for {}", words.join(", ")))
    };
    let levels: Vec<_> = Attestation::ALL.iter().filter_map(of_level).collect();
    format!("asked: {}", levels.join("; "))
}

fn explain(model: &Model, picture: &Picture, listed: &Listed) -> Vec<Parts> {
    let muted = |text: &str| (Token::Muted, text.to_owned());
    let person = &listed.person;
    let now = model.now().unwrap_or(picture.now);
    let state = state(person);
    let mut first = vec![
        (Token::Fg, person.person_id.clone()),
        muted(&format!(" {}, ", person.kind)),
        (state.0, state.1.to_owned()),
        muted(&format!(
            ", added {}, login {}",
            model.date_and_clock(person.created_at_utc),
            person.login.as_deref().unwrap_or("none")
        )),
    ];
    if let Some(until) = armed_until(picture, &person.person_id, now) {
        first.push((
            Token::ModeArmed,
            format!("  armed until {}", model.clock(until)),
        ));
    }
    if is_connected(picture, listed) {
        first.push((Token::ModeReadonly, "  connected".to_owned()));
    }
    let mut lines = vec![first];
    let known = picture.person.as_ref();
    match known.filter(|detail| detail.person_id == person.person_id) {
        Some(detail) => {
            lines.extend(roles(model, detail));
            lines.extend(keys(model, detail));
            lines.extend(shares(listed, detail));
            lines.extend(may_be_done(model));
            lines.extend(last_entries(model, detail));
        }
        None => lines.push(vec![muted("reading roles and keys")]),
    }
    lines.extend(asked_in_full(model, picture));
    if let Some(all) = &picture.connected {
        let all = all.join(", ");
        lines.push(vec![muted("connected logins "), (Token::Fg, all)]);
    }
    lines
}

fn roles(model: &Model, detail: &PersonDetail) -> Vec<Parts> {
    let one = |role: &crate::store::person::PersonRole| {
        let (token, end) = if role.active {
            (Token::Fg, "")
        } else {
            (Token::Muted, "; NO LONGER HELD")
        };
        vec![
            (Token::Muted, "role ".to_owned()),
            (token, role.role.word().replace('_', " ")),
            (
                Token::Muted,
                format!(
                    " granted by {} at {}{end}",
                    role.granted_by,
                    model.date_and_clock(role.granted_at_utc)
                ),
            ),
        ]
    };
    let mut lines: Vec<Parts> = detail.roles.iter().map(one).collect();
    if lines.is_empty() {
        lines.push(vec![(Token::Muted, "no role was ever granted".to_owned())]);
    }
    lines
}

fn keys(model: &Model, detail: &PersonDetail) -> Vec<Parts> {
    let one = |key: &crate::store::key::PersonKey| {
        let said = if let Some(at) = key.revoked_at_utc {
            let by = key.revoked_by.as_deref().unwrap_or("nobody");
            let at = model.date_and_clock(at);
            (Token::StatusDanger, format!(" REVOKED {at} by {by}"))
        } else {
            let since = model.date_and_clock(key.added_at_utc);
            (Token::StatusOk, format!(" valid since {since}"))
        };
        vec![
            (Token::Muted, "key ".to_owned()),
            (Token::Fg, shorten(&key.fingerprint, 20).into_owned()),
            said,
        ]
    };
    let mut lines: Vec<Parts> = detail.keys.iter().map(one).collect();
    if lines.is_empty() {
        lines.push(vec![(Token::Muted, "no key: signs nothing".to_owned())]);
    }
    lines
}

/// Says what somebody may do, from the one table of permissions: alone, or as one of two.
fn shares(listed: &Listed, detail: &PersonDetail) -> Vec<Parts> {
    let line =
        |label: &str, text: String| vec![(Token::Muted, label.to_owned()), (Token::Fg, text)];
    if !listed.person.active {
        return vec![line("may ", "do nothing: inactive".to_owned())];
    }
    if listed.person.kind == PersonKind::Service {
        return vec![line("may ", "write by rule only".to_owned())];
    }
    let active = detail.roles.iter().filter(|role| role.active);
    let held: Vec<Role> = active.map(|role| role.role).collect();
    // To answer what another one proposed is the other half of what takes two.
    let halves = [ASK_APPROVAL, APPROVE, DECLINE];
    let (mut alone, mut of_two) = (Vec::new(), Vec::new());
    for permission in MATRIX.iter().filter(|it| !halves.contains(it)) {
        let name = permission.verb.replace('_', "-");
        let besides = if permission.roles.is_empty() {
            format!(" ({})", permission.besides)
        } else {
            String::new()
        };
        match share_of(permission, &held) {
            Some(Share::Alone) => alone.push(format!("{name}{besides}")),
            Some(Share::Proposes) => of_two.push(format!("{name} (proposes)")),
            Some(Share::ProposesOrAgrees) => of_two.push(format!("{name} (proposes or agrees)")),
            None => {}
        }
    }
    let mut lines = Vec::new();
    if !of_two.is_empty() {
        lines.push(line("may as one of two ", of_two.join(", ")));
    }
    lines.push(line("may alone ", alone.join(", ")));
    lines
}

/// Says what whoever is at the keys can do about the selected person.
fn may_be_done(model: &Model) -> Vec<Parts> {
    let mut lines = super::you_may(model, "person");
    let with_words = ENTRIES.iter().filter(|entry| {
        entry.basis == Basis::Person && entry.kind == "person" && !entry.fields.is_empty()
    });
    let open = with_words.filter(|entry| model.is_open(entry));
    let names: Vec<_> = open
        .map(|entry| format!("{} ({})", entry.name(), model.start.keymap.action(entry)))
        .collect();
    if !names.is_empty() {
        lines.push(vec![
            (Token::Muted, "with words of yours: ".to_owned()),
            (Token::KeyHint, names.join(", ")),
        ]);
    }
    lines
}

fn last_entries(model: &Model, detail: &PersonDetail) -> Vec<Parts> {
    let one = |entry: &crate::store::ledger::Entry| {
        let part = if entry.approved_by.as_deref() == Some(&detail.person_id) {
            format!(" as the second of {}", entry.actor_id)
        } else {
            String::new()
        };
        vec![
            (Token::Muted, format!("{:>5} ", entry.seq)),
            (
                Token::Muted,
                format!("{} ", model.date_and_clock(entry.at_utc)),
            ),
            (Token::Accent, entry.action.clone()),
            (Token::Fg, format!(" {}", entry.target_id)),
            (Token::Muted, part),
        ]
    };
    detail.entries.iter().map(one).collect()
}

fn asked_in_full(model: &Model, picture: &Picture) -> Vec<Parts> {
    let one = |asks: &super::super::detail::Asks| {
        let by = match &asks.decided {
            None => "built in".to_owned(),
            Some(policy) => format!(
                "decided by {} + {} at {}",
                policy.set_by,
                policy.approved_by,
                model.date_and_clock(policy.set_at_utc)
            ),
        };
        vec![
            (Token::Muted, format!("{} asks ", asks.class)),
            (Token::Fg, asks.minimum.to_string()),
            (Token::Muted, format!(", {by}")),
        ]
    };
    picture.policies.iter().map(one).collect()
}

/// Writes the selected person as JSON: the row, the roles, the keys.
#[must_use]
pub fn row_json(model: &Model) -> Option<String> {
    let picture = model.picture.as_ref()?;
    let at = model.people.position(&picture.people)?;
    let listed = picture.people.rows.get(at)?;
    let detail = picture.person.as_ref();
    let detail = detail.filter(|detail| detail.person_id == listed.person.person_id)?;
    let json = serde_json::json!({
        "person": listed, "roles": detail.roles, "keys": detail.keys,
    });
    serde_json::to_string_pretty(&json).ok()
}
