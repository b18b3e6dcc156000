use std::path::Path;

use super::*;

const WHOLE: &str = r#"
metrics_address = "127.0.0.1:9464"
plan_days = 14

[channel.mail]
kind = "mail"
host = "mail.example"
from = "govdeck@example.com"
domain = "example.com"
to = { maya = "m@elsewhere.example" }

[channel.hook]
kind = "webhook"
url = "https://hooks.example/govdeck"
secret_file = "/etc/govdeck/hook.key"

[channel.pager]
kind = "command"
command = ["/usr/local/bin/page", "--urgent"]
timeout_seconds = 5

[[route]]
events = ["*"]
channels = ["mail"]

[[route]]
events = ["block_breached"]
channels = ["pager", "mail"]
drills = true

[[job]]
run = "scan"
every_minutes = 30

[[job]]
run = "reconcile"
manifest = "weekly/manifest.json"
every_minutes = 15
timeout_minutes = 60
"#;

fn parse(text: &str) -> Result<AgentSettings, String> {
    AgentSettings::parse(text, Path::new("agent.toml"))
        .map_err(|error| format!("{} | {}", error.sentence, error.hint))
}

#[test]
fn a_whole_file_is_understood() {
    let read = parse(WHOLE).expect("it is good");
    assert_eq!(read.planned_ahead(), Duration::from_hours(14 * 24));
    let names: Vec<String> = read.jobs().iter().map(Job::name).collect();
    assert_eq!(
        names,
        [
            "scan",
            "reconcile weekly/manifest.json",
            "sweep-bundles",
            "drop-leaves"
        ]
    );
    assert_eq!(read.jobs()[0].timeout(), Duration::from_mins(30));
    assert_eq!(read.channels["pager"].timeout(), Duration::from_secs(5));
    let Channel::Mail(mail) = &read.channels["mail"] else {
        panic!("it is mail");
    };
    assert_eq!(mail.safety, Safety::Starttls);
    assert_eq!(
        mail.address_of("maya").as_deref(),
        Some("m@elsewhere.example")
    );
    assert_eq!(mail.address_of("lee").as_deref(), Some("lee@example.com"));
    assert_eq!(
        parse("").expect("nothing is said"),
        AgentSettings::default()
    );
}

#[test]
fn a_message_goes_every_way_that_a_route_names_once_and_a_drill_only_where_asked() {
    let read = parse(WHOLE).expect("it is good");
    assert_eq!(read.ways("block_opened", false), [("mail", true)]);
    assert_eq!(read.ways("block_opened", true), [("mail", false)]);
    let breach = read.ways("block_breached", false);
    assert_eq!(breach, [("mail", true), ("pager", true)]);
    let drill = read.ways("block_breached", true);
    assert_eq!(drill, [("mail", true), ("pager", true)]);
    assert!(
        AgentSettings::default()
            .ways("block_opened", false)
            .is_empty()
    );
}

#[test]
fn what_it_cannot_mean_is_refused_and_no_value_is_repeated() {
    let channel = |body: &str| format!("[channel.x]\n{body}");
    let mail = |more: &str| {
        channel(&format!(
            "kind = \"mail\"\nhost = \"mail.example\"\nfrom = \"a@b.example\"\n{more}"
        ))
    };
    let hook = |url: &str, more: &str| {
        channel(&format!(
            "kind = \"webhook\"\nurl = \"{url}\"\nsecret_file = \"/k\"\n{more}"
        ))
    };
    for (text, says) in [
        ("metric_address = \"x\"".to_owned(), "unknown field"),
        (
            "metrics_address = \"0.0.0.0:9464\"".to_owned(),
            "not on this machine",
        ),
        ("metrics_address = \"hunter2\"".to_owned(), "line 1, column"),
        (channel("kind = \"pigeon\""), "not what is expected"),
        (
            channel("kind = \"command\"\ncommand = [\"page\"]"),
            "whole path",
        ),
        (channel("kind = \"command\"\ncommand = []"), "whole path"),
        (
            channel("kind = \"command\"\ncommand = [\"/x\"]\ntimeout_seconds = 0"),
            "no time",
        ),
        (mail("password = \"hunter2\""), "unknown field"),
        (mail("user = \"govdeck\""), "without a password"),
        (mail("safety = \"none\""), "in the clear"),
        (hook("http://hooks.example/", ""), "https://"),
        (
            hook("https://maya:hunter2@hooks.example/", ""),
            "somebody's name",
        ),
        (hook("ftp://hooks.example/", "private = true"), "https://"),
        (
            "[[route]]\nevents = [\"*\"]\nchannels = [\"mial\"]".to_owned(),
            "no channel is called so",
        ),
        (
            "[[job]]\nrun = \"scan\"\nevery_minutes = 0".to_owned(),
            "minutes",
        ),
        (
            "[[job]]\nrun = \"replay\"\nevery_minutes = 9".to_owned(),
            "needs manifest",
        ),
        (
            "[[job]]\nrun = \"scan\"\nfolder = \"f\"\nevery_minutes = 9".to_owned(),
            "takes no folder",
        ),
        (
            "[[job]]\nrun = \"scan\"\nevery_minutes = 9\n".repeat(2),
            "there twice",
        ),
        (
            "[channel.\"a b\"]\nkind = \"command\"\ncommand = [\"/x\"]".to_owned(),
            "plain name",
        ),
    ] {
        let refused = parse(&text).expect_err(&text);
        assert!(refused.contains(says), "{text}: {refused}");
        assert!(!refused.contains("hunter2"), "{refused}");
    }
    for fine in [
        mail("safety = \"tls\""),
        hook("http://10.0.0.7:8080/hook", "private = true"),
        channel("kind = \"mail\"\nhost = \"127.0.0.1\"\nsafety = \"none\"\nfrom = \"a@b.example\""),
    ] {
        assert!(parse(&fine).is_ok(), "{fine}");
    }
}
