//! Text from the database is hostile: it is scrubbed once, before any screen, line or message shows it.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Replaces every character that could move the cursor, hide or reorder text by a visible placeholder.
///
/// Stored values and hashes keep the raw text.
#[must_use]
pub fn scrub(text: &str) -> Cow<'_, str> {
    if !text.contains(is_hostile) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if is_hostile(character) {
            let _ = write!(shown, "<{:04X}>", u32::from(character));
        } else {
            shown.push(character);
        }
    }
    Cow::Owned(shown)
}

/// Tells whether a character is a control, an escape, a bidirectional override, invisible, or a tag.
#[must_use]
pub fn is_hostile(character: char) -> bool {
    matches!(character,
        '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}'      // C0, DEL, C1
        | '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180b}'..='\u{180f}'
        | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{3164}' | '\u{ffa0}' // invisible letters
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff0}'..='\u{fffb}'
        | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}')
}

/// Cuts a text to at most `most` characters, marking the cut.
#[must_use]
pub fn shorten(text: &str, most: usize) -> Cow<'_, str> {
    match text.char_indices().nth(most) {
        None => Cow::Borrowed(text),
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
    }
}

/// Says how many there are, in the singular where there is one.
#[must_use]
pub fn counted<Count>(count: Count, one: &str, many: &str) -> String
where
    Count: std::fmt::Display + PartialEq + From<u8> + Copy,
{
    let what = if count == Count::from(1) { one } else { many };
    format!("{count} {what}")
}

/// Writes text as the text of a page of HTML or a picture of SVG, scrubbed, whatever it holds.
#[must_use]
pub fn markup(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in scrub(text).chars() {
        match character {
            '&' => shown.push_str("&amp;"),
            '<' => shown.push_str("&lt;"),
            '>' => shown.push_str("&gt;"),
            '"' => shown.push_str("&quot;"),
            '\'' => shown.push_str("&#39;"),
            plain => shown.push(plain),
        }
    }
    shown
}

/// Writes the name of a type as people say it.
#[must_use]
pub fn spaced(type_name: &str) -> String {
    let mut said = String::new();
    for character in type_name.chars() {
        if character.is_ascii_uppercase() && !said.is_empty() {
            said.push(' ');
        }
        said.push(character.to_ascii_lowercase());
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_told_in_the_singular() {
        assert_eq!(counted(0_usize, "entry", "entries"), "0 entries");
        assert_eq!(counted(1_i64, "entry", "entries"), "1 entry");
        assert_eq!(counted(2_u64, "entry", "entries"), "2 entries");
    }

    #[test]
    fn markup_is_only_ever_text() {
        assert_eq!(
            markup("<b onclick='x()' id=\"y\"> & \u{202e}"),
            "&lt;b onclick=&#39;x()&#39; id=&quot;y&quot;&gt; &amp; &lt;202E&gt;"
        );
    }

    #[test]
    fn ordinary_text_is_untouched() {
        for text in ["", "MET-0144 breach_count", "é ü 漢字 ✓", "a\u{301}"] {
            assert!(matches!(scrub(text), Cow::Borrowed(same) if same == text));
        }
    }

    #[test]
    fn hostile_text_becomes_visible() {
        assert_eq!(scrub("\u{1b}[2J"), "<001B>[2J");
        assert_eq!(scrub("a\nb\rc\td"), "a<000A>b<000D>c<0009>d");
        assert_eq!(scrub("\u{9b}31m"), "<009B>31m");
        assert_eq!(scrub("\u{202e}cod.exe"), "<202E>cod.exe");
        assert_eq!(scrub("a\u{200b}b\u{feff}c"), "a<200B>b<FEFF>c");
        assert_eq!(scrub("\u{e0041}"), "<E0041>");
    }

    #[test]
    fn what_was_scrubbed_holds_nothing_hostile() {
        let everything: String = (0..=0x0010_ffff).filter_map(char::from_u32).collect();
        assert!(!scrub(&everything).contains(is_hostile));
    }

    #[test]
    fn shortening_counts_characters() {
        assert_eq!(shorten("äöü", 3), "äöü");
        assert_eq!(shorten("äöü", 2), "äö…");
    }
}
