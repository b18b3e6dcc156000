//! Themes as a whole: built in and of the user, at every depth, and files that mean no good.

use super::*;

#[test]
fn every_built_in_theme_is_whole_and_survives_being_spelled_out() {
    let folder = tempfile::tempdir().unwrap();
    for name in Theme::NAMES {
        let theme = Theme::built_in(name).unwrap();
        assert_eq!(theme.name(), *name);
        let path = folder.path().join(format!("{name}.toml"));
        std::fs::write(&path, theme.to_toml()).unwrap();
        let again = Theme::read(&path, None).unwrap();
        assert_eq!(again.styles, theme.styles, "{name}");
    }
    assert!(Theme::built_in("no-such-theme").is_none());
}
