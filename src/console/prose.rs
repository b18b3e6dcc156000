//! Texts made fit to be shown: scrubbed, not endless, and broken into lines.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::rules::text;

use super::theme::Token;
use super::ui::Parts;

/// More of a text than any place has is never looked at.
const LONGEST: usize = 600;

/// Makes a text fit to be shown: scrubbed, and not endless.
#[must_use]
pub fn shown(raw: &str) -> String {
    text::scrub(&text::shorten(raw, LONGEST)).into_owned()
}

/// Breaks a text into lines of at most `width` cells, at blanks where there are some.
#[must_use]
pub fn wrap(raw: &str, width: usize) -> Vec<String> {
    let width = width.max(1);
    let mut lines = vec![String::new()];
    for word in shown(raw).split(' ') {
        let mut word = word;
        loop {
            let used = lines.last().map_or(0, |line| width_of(line));
            let blank = usize::from(used > 0);
            if used + blank + width_of(word) <= width {
                if let Some(line) = lines.last_mut() {
                    if blank > 0 {
                        line.push(' ');
                    }
                    line.push_str(word);
                }
                break;
            }
            if width_of(word) <= width || used > 0 {
                lines.push(String::new());
                continue;
            }
            let end = fitting(word, width);
            if let Some(line) = lines.last_mut() {
                line.push_str(&word[..end]);
            }
            word = &word[end..];
            lines.push(String::new());
        }
    }
    lines
}

/// Breaks a line of parts into lines of at most `width` cells; the later ones are set in.
#[must_use]
pub fn flow(parts: &[(Token, String)], width: u16) -> Vec<Parts> {
    const INDENT: &str = "  ";
    let width = usize::from(width.max(8));
    let mut lines: Vec<Parts> = vec![Vec::new()];
    let mut used = 0;
    for (token, raw) in parts {
        for word in shown(raw).split_inclusive(' ') {
            let takes = width_of(word.trim_end());
            if used > INDENT.len() && used + takes > width {
                lines.push(vec![(*token, INDENT.to_owned())]);
                used = INDENT.len();
            }
            let mut word = word;
            while used + width_of(word.trim_end()) > width {
                // A word that no line has room for is broken anywhere.
                let (fits, rest) = word.split_at(fitting(word, width - used));
                put(&mut lines, *token, fits);
                lines.push(vec![(*token, INDENT.to_owned())]);
                (used, word) = (INDENT.len(), rest);
            }
            used += width_of(word);
            put(&mut lines, *token, word);
        }
    }
    // A blank at a line's end takes room, and nobody sees it.
    for line in &mut lines {
        if let Some((_, text)) = line.last_mut() {
            text.truncate(text.trim_end().len());
        }
    }
    lines
}

/// Returns how many cells a text takes that is fit to be shown; nearly all are a cell a byte.
fn width_of(text: &str) -> usize {
    if text.is_ascii() {
        text.len()
    } else {
        text.width()
    }
}

fn put(lines: &mut [Parts], token: Token, word: &str) {
    let Some(line) = lines.last_mut() else {
        return;
    };
    match line.last_mut() {
        Some((last, text)) if *last == token => text.push_str(word),
        _ => line.push((token, word.to_owned())),
    }
}

/// How many bytes of a word fit into so many cells; a character at least.
fn fitting(word: &str, width: usize) -> usize {
    let mut taken = 0;
    let mut end = 0;
    for (at, character) in word.char_indices() {
        taken += character.width().unwrap_or(0);
        if taken > width && end > 0 {
            break;
        }
        end = at + character.len_utf8();
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrapping_keeps_every_word_and_the_width() {
        for width in 1..20 {
            let text = "an owner has 30 minutes 漢字漢字漢字漢字漢字漢字 to respond";
            let lines = wrap(text, width);
            for line in &lines {
                assert!(line.width() <= width.max(2), "{line:?} at {width}");
            }
            let joined: String = lines.concat().replace(' ', "");
            assert_eq!(joined, text.replace(' ', ""));
        }
        assert_eq!(wrap("a bb ccc", 4), ["a bb", "ccc"]);
        assert_eq!(wrap("", 4), [""]);
    }

    #[test]
    fn flowing_keeps_every_word_and_its_meaning() {
        let parts = vec![
            (Token::Muted, "scope ".to_owned()),
            (Token::Fg, "weekly/partners and some more words".to_owned()),
        ];
        // Where the longest of them fits; narrower, it is broken.
        for width in 17..60 {
            let lines = flow(&parts, width);
            let words: Vec<String> = lines
                .iter()
                .map(|line| {
                    line.iter()
                        .map(|(_, text)| text.as_str())
                        .collect::<String>()
                })
                .flat_map(|line| {
                    line.split_whitespace()
                        .map(str::to_owned)
                        .collect::<Vec<_>>()
                })
                .collect();
            assert_eq!(words.join(" "), "scope weekly/partners and some more words");
        }
        assert_eq!(flow(&parts, 60).len(), 1);
        let hash = vec![
            (Token::Muted, "hash of it all ".to_owned()),
            (Token::Fg, "0123456789abcdef".repeat(4)),
            (Token::Fg, " and \u{6f22}\u{5b57} more".to_owned()),
        ];
        for width in 8..90 {
            let lines = flow(&hash, width);
            let written: Vec<String> = lines
                .iter()
                .map(|line| line.iter().map(|(_, text)| text.as_str()).collect())
                .collect();
            for line in &written {
                assert!(line.width() <= usize::from(width), "{line:?} at {width}");
            }
            let text: String = written.concat().replace(' ', "");
            let whole: String = hash.iter().map(|(_, text)| text.as_str()).collect();
            assert_eq!(text, whole.replace(' ', ""), "at {width}");
        }
    }

    #[test]
    fn what_is_shown_is_scrubbed_and_not_endless() {
        let hostile = format!("\u{1b}[2J\u{202e}{}", "x".repeat(1_000_000));
        let shown = shown(&hostile);
        assert!(!shown.contains(text::is_hostile));
        assert!(shown.len() < 4 * LONGEST);
    }
}
