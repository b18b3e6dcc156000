//! How somebody else's text is shown in a finding.

use crate::rules::text;

/// The most characters of somebody else's text that a finding repeats.
const QUOTED_CHARACTERS: usize = 60;

/// Quotes somebody else's text: invisible characters become visible, long text is cut.
pub(super) fn quoted(foreign: &str) -> String {
    let shown = format!("{:?}", text::shorten(foreign, QUOTED_CHARACTERS));
    // What the debug form leaves as it is, such as variation selectors, becomes visible too.
    text::scrub(&shown).into_owned()
}
