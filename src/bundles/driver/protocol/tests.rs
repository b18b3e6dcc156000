use super::*;

fn request(ask: Ask) -> Request {
    let work = (ask != Ask::Hello).then(|| Work {
        kind: Kind::Search,
        secrets: vec!["SEARCH_DSN".to_owned()],
        scope: Scope::default(),
        forward: vec![],
        rollback: vec![],
        time_limit_ms: 1000,
    });
    let id = "1f".to_owned();
    Request { id, ask, work }
}

#[test]
fn what_is_written_is_read() {
    for ask in Ask::ALL {
        let request = request(*ask);
        let bytes = request.bytes().expect("it is JSON");
        assert_eq!(Request::read(&bytes), Ok(request));
    }
    let changed = Changed {
        rows: BTreeMap::from([("s.t".to_owned(), 3)]),
        notes: vec!["a".to_owned()],
    };
    let bytes = Answer::Apply(changed.clone()).bytes("1f").expect("JSON");
    assert_eq!(
        Answer::read(&bytes, "1f", Ask::Apply),
        Ok(Answer::Apply(changed))
    );
    let said = Said::new(Code::ScriptFailed, "no");
    let bytes = Answer::Error(said.clone()).bytes("").expect("JSON");
    assert_eq!(
        Answer::read(&bytes, "1f", Ask::Plan),
        Ok(Answer::Error(said))
    );
}

#[test]
fn a_request_that_is_not_exactly_one_is_refused_with_its_reason() {
    let good = String::from_utf8(request(Ask::Apply).bytes().expect("JSON")).expect("text");
    for (text, code, id) in [
        (String::new(), Code::BadRequest, ""),
        ("[]".to_owned(), Code::BadRequest, ""),
        (good.clone() + &good, Code::BadRequest, ""),
        (good.replace("\"id\"", "\"ID\""), Code::BadRequest, ""),
        (good.replace(".v1", ".v2"), Code::UnsupportedProtocol, "1f"),
        (
            good.replace("\"apply\"", "\"explode\""),
            Code::UnknownRequest,
            "1f",
        ),
        (
            good.replace("\"apply\"", "\"hello\""),
            Code::BadRequest,
            "1f",
        ),
        (
            good.replace("\"forward\"", "\"force\""),
            Code::BadRequest,
            "1f",
        ),
        (
            good.replace("\"id\"", "\"more\":1,\"id\""),
            Code::BadRequest,
            "1f",
        ),
        (good.replace("1000", "-1"), Code::BadRequest, "1f"),
        (
            good.replace("\"id\"", "\"id\":\"2\",\"id\""),
            Code::BadRequest,
            "",
        ),
    ] {
        let (found, said) = Request::read(text.as_bytes()).unwrap_err();
        assert_eq!((said.code, found.as_str()), (code, id), "{text}");
    }
}

#[test]
fn an_answer_that_is_not_exactly_one_is_none() {
    let answer = Answer::Apply(Changed::default()).bytes("1f").expect("JSON");
    let good = String::from_utf8(answer).expect("text");
    assert!(Answer::read(good.as_bytes(), "1f", Ask::Apply).is_ok());
    for text in [
        String::new(),
        "ok".to_owned(),
        format!("log: hi\n{good}"),
        format!("{good}log: bye"),
        good.clone() + &good,
        good.replace(".v1", ".v2"),
        good.replace("1f", "20"),
        good.replace("1f", ""),
        good.replace("\"apply\"", "\"rollback\""),
        good.replace("\"rows\"", "\"more\":1,\"rows\""),
        good.replace("\"id\"", "\"more\":1,\"id\""),
        good.replace("{}", "{\"t\":-1}"),
        good.replace("{}", "{\"t\":1e99}"),
        good.replace("\"body\"", "\"corpse\""),
        format!("{}{good}", '\u{feff}'),
        "[".repeat(100_000),
    ] {
        assert!(
            Answer::read(text.as_bytes(), "1f", Ask::Apply).is_err(),
            "{text:.80}"
        );
    }
    assert!(Answer::read(good.as_bytes(), "1f", Ask::Rollback).is_err());
}
