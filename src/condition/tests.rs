use jiff::Timestamp;
use proptest::prelude::*;

use super::*;

const NOW: &str = "2026-03-01T17:30:15.25Z"; // A Sunday.

const SUBJECT: &str = r#"{"role": "admin", "level": 3, "score": 2.5, "tags": ["a", "b", "c"], "none": null}"#;
const RESOURCE: &str =
    r#"{"status": "active", "owners": {"alice": true}, "numbers": [1, 2, 3], "big": 9007199254740993}"#;
const ACTION: &str = r#"{"soft": true}"#;
const CONTEXT: &str = r#"{"ip": "10.1.2.3", "at": "2026-03-01T17:00:00Z", "mfa": true, "odd key": 1}"#;

fn holds(text: &str) -> Result<(), Unmet> {
    let [subject, resource, action, context] = [SUBJECT, RESOURCE, ACTION, CONTEXT].map(Properties::new);
    let given =
        Given { subject: Some(&subject), resource: Some(&resource), action: Some(&action), context: Some(&context) };
    let condition = Condition::new(text).unwrap_or_else(|invalid| panic!("{text}: {invalid}"));
    condition.holds(NOW.parse().unwrap(), Some(&given))
}

#[test]
fn conditions_that_hold() {
    for text in [
        "true",
        "subject.properties.role == 'admin'",
        "subject.properties.role != \"user\" && resource.properties.status == \"active\"",
        "has(subject.properties.role) && !has(subject.properties.missing)",
        "has(resource.properties.owners.alice)",
        "action.properties.soft",
        "subject.properties.level > 2 && subject.properties.level >= 3 && 4 > subject.properties.level",
        "subject.properties.level == 3.0 && subject.properties.score < 3",
        "subject.properties.level + 1 == 4 && subject.properties.level % 2 == 1 && -subject.properties.level == -3",
        "resource.properties.big == 9007199254740993 && resource.properties.big != 9007199254740992.0",
        "subject.properties.none == null",
        "subject.properties.role in ['admin', 'owner']",
        "'a' in subject.properties.tags && !('z' in subject.properties.tags)",
        "'alice' in resource.properties.owners",
        "subject.properties.tags[1] == 'b' && context['odd key'] == 1",
        "subject.properties.tags == ['a', 'b', 'c'] && subject.properties.tags != ['a']",
        "subject.properties.tags.all(tag, size(tag) == 1)",
        "subject.properties.tags.exists(tag, tag == 'c')",
        "subject.properties.tags.exists_one(tag, tag >= 'c')",
        "resource.properties.numbers.exists(one, subject.properties.tags.exists(tag, tag == 'b' && one == 2))",
        "resource.properties.owners.exists(owner, owner.startsWith('al'))",
        "context.ip.startsWith('10.') && context.ip.endsWith('.3') && context.ip.contains('1.2')",
        r"context.ip.matches('^10\\.[0-9.]+$') && matches(context.ip, r'^\d+\.')",
        "size('héllo') == 5 && 'héllo'.matches('^h\u{e9}l+o$')",
        "now >= timestamp(context.at) && now - timestamp(context.at) < duration('1h')",
        "now < timestamp('2030-01-01T00:00:00Z') && now + duration('1h30m') > timestamp('2026-03-01T18:59:00+00:00')",
        "now.getFullYear() == 2026 && now.getMonth() == 2 && now.getDate() == 1 && now.getDayOfMonth() == 0",
        "now.getDayOfWeek() == 0 && now.getDayOfYear() == 59 && now.getMilliseconds() == 250",
        "now.getHours() == 17 && now.getHours('+02:00') == 19 && now.getMinutes('-00:30') == 0 && now.getSeconds() == 15",
        "int('12') == 12 && double(1) == 1.0 && string(1.5) == '1.5' && int(2.9) == 2 && string(true) == 'true'",
        "int(timestamp('1970-01-01T00:01:00Z')) == 60",
        "(subject.properties.level > 5 ? 'x' : 'y') == 'y'",
        "'a' + 'b' == 'ab' && 1.0 / 0.0 > 1.0",
        // One side decides, even if the other fails.
        "subject.properties.missing == 1 || context.mfa",
        "context.mfa || subject.properties.missing == 1",
        "!(subject.properties.missing == 1 && !context.mfa)",
        "subject.properties.tags.exists(tag, tag == 'b' || subject.properties.missing)",
        "['subject'].exists(subject, subject == 'subject')",
    ] {
        assert_eq!(holds(text), Ok(()), "{text}");
    }
}

#[test]
fn what_is_false_or_fails_does_not_hold() {
    for (text, why) in [
        ("false", "does not hold"),
        ("subject.properties.role == 'user'", "does not hold"),
        ("subject.properties.role == 3", "does not hold"),
        ("subject.properties.missing == 'x'", "failed: there is no `missing`"),
        ("subject.properties.missing.deeper == 'x'", "failed: there is no `missing`"),
        ("context['absent'] == 1", "failed: there is no `absent`"),
        ("subject.properties.tags[7] == 'x'", "failed: a list has no element 7"),
        ("subject.properties.role", "failed: its result is a string, not true or false"),
        ("subject.properties.role > 3", "failed: a comparison does not take a string and an int"),
        ("subject.properties.role + 3 == 4", "failed: `+` does not take a string and an int"),
        ("subject.properties.level && true", "failed: a logical operator does not take an int"),
        ("context.mfa.startsWith('x')", "failed: `startsWith` does not take a bool and a string"),
        ("subject.properties.level / 0 == 1", "failed: a result is out of range"),
        ("9223372036854775807 + subject.properties.level > 0", "failed: a result is out of range"),
        ("timestamp(context.ip) < now", "failed: a value cannot be made into a timestamp"),
        ("int(subject.properties.role) == 1", "failed: a value cannot be made into an int"),
        ("subject.properties.missing == 1 || false", "failed: there is no `missing`"),
        ("subject.properties.tags.exists_one(tag, subject.properties.missing)", "failed: there is no `missing`"),
        ("subject.properties.tags.all(tag, subject.properties.missing)", "failed: there is no `missing`"),
        ("subject.properties.role.exists(it, true)", "failed: `all`, `exists` or `exists_one` does not take a string"),
    ] {
        assert_eq!(holds(text).unwrap_err().to_string(), why, "{text}");
    }
}

#[test]
fn invalid_conditions_say_what_is_wrong() {
    let long = format!("'{}' == ''", "x".repeat(MAX_LENGTH));
    let deep = format!("{}1 > 0", "1 + ".repeat(40));
    let nested = "context.a.exists(a, context.b.exists(b, context.c.exists(c, a == b && b == c)))";
    let many = vec!["1"; 65].join(",");
    let (of_long, chosen) =
        (format!("[[{many}]].all(x, x == x)"), format!("(context.a ? [{many}] : []).all(x, x > 0)"));
    for (text, problem) in [
        ("", "is empty"),
        ("  ", "is empty"),
        (&long, "has 1032 characters: use at most 1024"),
        (&deep, "is nested more than 32 deep"),
        ("subject.properties.role ==", "is no CEL expression: "),
        ("subject.properties.role = 'x'", "is no CEL expression: "),
        ("a.b", "uses `a`, which is unknown"),
        ("subject.id == 'alice'", "of `subject` only `subject.properties` is known"),
        ("resource == 1", "only `resource.properties` is known"),
        ("has(action.properties)", "always is there"),
        ("subject.properties.role.lower() == 'x'", "calls `lower`, which is unknown"),
        ("starts(context.ip, 'x')", "calls `starts`, which is unknown"),
        ("size(context.a, context.b) == 1", "calls `size`, which is unknown with these arguments"),
        ("context.ip.startsWith() == true", "calls `startsWith`, which is unknown with these arguments"),
        ("1", "is an int: it must be true or false"),
        ("'yes'", "is a string"),
        ("now", "is a timestamp"),
        ("context", "is a map"),
        ("1 == 'x'", "puts `==` on an int and a string"),
        ("now > 5", "puts `>` on a timestamp and an int"),
        ("1 + 'x' == 2", "puts `+` on an int and a string"),
        ("now + now == now", "puts `+` on a timestamp and a timestamp"),
        ("1 in ['a', 'b']", "puts `in` on an int and a list"),
        ("1 && true", "puts `&&` on an int and a bool"),
        ("!1", "puts `!` on an int"),
        ("1 ? true : false", "has an int before `?`"),
        ("['a'][true] == 'a'", "puts `[]` on a list and a bool"),
        ("now.hour == 3", "selects `hour` of a timestamp"),
        ("size(1) == 1", "asks for the size of an int"),
        ("context.ip.matches(context.pattern)", "a pattern that is no literal"),
        ("context.ip.matches('(')", "has a pattern that cannot be used: "),
        ("context.ip.matches('(a{100}){100}{100}')", "has a pattern that cannot be used: "),
        ("timestamp('tomorrow') > now", "which is no instant"),
        ("duration('soon') > duration('1h')", "which is no duration"),
        ("now.getHours('Europe/Berlin') > 8", "names a time zone that is unknown"),
        ("now.getHours(context.zone) > 8", "names a time zone that is unknown"),
        ("size(context.a.map(x, x)) > 0", "uses `map` or `filter`"),
        ("size(context.a.filter(x, x > 1)) > 0", "uses `map` or `filter`"),
        ("{'a': 1}.a == 1", "makes a map"),
        ("b'x' == b'x'", "is no CEL expression: a string at character 2, where the end is expected"),
        ("1u == 1u", "an unsigned literal"),
        ("context.a.all(x, 1)", "has an int as a predicate"),
        ("now.all(x, true)", "looks for the elements of a timestamp"),
        (nested, "may take "),
        (&of_long, "has a list of 65 elements in another list"),
        (&chosen, "has a list of 65 elements in another list or in a choice"),
    ] {
        let invalid = Condition::new(text).map(|_| ()).expect_err(text).to_string();
        assert!(invalid.contains(problem), "{text}: {invalid}");
    }
}

#[test]
fn nothing_given_is_as_if_empty() {
    let now: Timestamp = NOW.parse().unwrap();
    let holds = |text: &str, given: Option<&Given<'_>>| Condition::new(text).unwrap().holds(now, given);
    for given in [None, Some(&Given::default())] {
        assert_eq!(holds("!has(subject.properties.role) && size(context) == 0", given), Ok(()));
        assert_eq!(holds("context.mfa", given).unwrap_err().to_string(), "failed: there is no `mfa`");
    }
}

#[test]
fn an_evaluation_ends_when_its_budget_is_spent() {
    let list = format!(r#"{{"a": [{}]}}"#, vec!["1"; 10_000].join(","));
    let text = format!(r#"{{"a": "{}"}}"#, "x".repeat(2_000));
    let long = format!(r#"{{"a": "{}"}}"#, "x".repeat(MAX_PROPERTIES));
    for (context, condition, why) in [
        (&list, "context.a.all(x, context.a.all(y, x == y))", "it takes more than 50000 steps"),
        // Nothing that comes after it is decisive either.
        (&list, "context.a.all(x, context.a.all(y, x == y)) || context.a[0] == 1", "it takes more than 50000 steps"),
        (&text, "context.a.matches('x*y')", "it takes more than 50000 steps"),
        (&long, "has(context.a)", "`context` has more than 65536 bytes"),
    ] {
        let context = Properties::new(context);
        let given = Given { context: Some(&context), ..Given::default() };
        let unmet = Condition::new(condition).unwrap().holds(NOW.parse().unwrap(), Some(&given)).unwrap_err();
        assert_eq!(unmet.to_string(), format!("failed: {why}"), "{condition}");
    }
}

#[test]
fn what_is_accepted_is_evaluated_to_the_end_for_lists_of_as_many_elements_as_is_assumed() {
    let count = usize::try_from(ASSUMED_ELEMENTS).unwrap();
    let numbers = vec!["1"; count].join(",");
    let keys: Vec<_> = (0..count - 3).map(|key| format!(r#""{key}": null"#)).collect();
    let context = format!(r#"{{"a": [{numbers}], "b": [{numbers}], "s": "s", {}}}"#, keys.join(","));
    let properties = Properties::new(&context);
    let given = Given { context: Some(&properties), ..Given::default() };
    for (range, part) in [
        ("context.a", "x == y && x == 's'"),
        ("context.a", "x != y"),
        ("context.a", "'s' in context.b"),
        ("context.a", "x in ['a', 'b'] || 's' in ['a', 'b']"),
        ("context.a", "[1, 2, 3] == context.s"),
        ("context.a", "context.a == [1, 1]"),
        ("context.a", "x > y"),
        ("context.a", "size(context.s) == x + y && context.s == ''"),
        ("context.a", "[[1, 2]].exists(l, l == [1])"),
        ("context.a", "context.b in [[1, 2], [3]]"),
        ("context.a", "[[1, 2]].exists(l, [l, l] == [l, [3]])"),
        ("context", "x == ''"),
        ("context", "context.s.startsWith('t')"),
    ] {
        let once = |predicate: String| format!("{range}.exists(x, {range}.size() == 0 || [1].exists(y, {predicate}))");
        let for_all_pairs = |predicate: String| format!("{range}.exists(x, {range}.exists(y, {predicate}))");
        let condition = |parts: usize| vec![format!("({part})"); parts].join(" || ");
        let accepted = |text: &dyn Fn(String) -> String| -> Vec<_> {
            (1..).map_while(|parts| Condition::new(&text(condition(parts))).ok()).collect()
        };
        let (once, for_all_pairs) = (accepted(&once), accepted(&for_all_pairs));
        assert!(!once.is_empty(), "{part}");
        for condition in once.iter().chain(&for_all_pairs) {
            let unmet = condition.holds(NOW.parse().unwrap(), Some(&given)).unwrap_err();
            assert_eq!(unmet, Unmet::False, "{condition:?}");
        }
    }
}

#[test]
fn whatever_is_long_is_paid_for() {
    let context = format!(r#"{{"a": [{}], "long": "{}"}}"#, vec!["1"; 64].join(","), "x".repeat(30_000));
    let context = Properties::new(&context);
    let given = Given { context: Some(&context), ..Given::default() };
    for condition in [
        "[[context.long + context.long]].exists(copied, context.a.exists(x, size(copied) == 0))",
        "context.a.exists(x, context.a.exists(y, context.long in context))",
        "context.a.exists(x, context.a.exists(y, has(context.long) && context[context.long] == 1))",
    ] {
        let unmet = Condition::new(condition).unwrap().holds(NOW.parse().unwrap(), Some(&given)).unwrap_err();
        assert_eq!(unmet, Unmet::Failed(Fault::TooCostly), "{condition}");
    }
}

#[test]
fn what_is_nested_without_end_is_refused() {
    for (open, close) in [
        ("(", ")"),
        ("[", "]"),
        ("!", ""),
        ("-", ""),
        ("size(", ")"),
        ("[1].all(x, ", ")"),
        ("true ? true : ", ""),
        ("", ".a"),
        ("", "[0]"),
        ("", ".size()"),
        ("", " + 1"),
        ("", " == true"),
    ] {
        let times = (MAX_LENGTH - 8) / (open.len() + close.len());
        let text = format!("{}true{}", open.repeat(times), close.repeat(times));
        assert!(Condition::new(&text).unwrap_err().to_string().contains("nested"), "{open} {close}");
    }
    let many = vec!["has(context.a)"; 50].join(" || ");
    assert!(Condition::new(&many).is_ok(), "alternatives are not nested");
}

proptest! {
    #[test]
    fn no_text_upsets_the_compiler(text in "\\PC{0,64}") {
        let _ = Condition::new(&text);
    }

    #[test]
    fn no_sequence_of_words_upsets_the_compiler_or_an_evaluation(
        words in proptest::collection::vec(proptest::sample::select(vec![
            "subject.properties", "resource.properties", "context", "now", ".a", "[0]", "['a']", "'a'", "1", "2.5", "true",
            "null", "==", "!=", "<", "&&", "||", "!", "-", "+", "*", "%", "in", "(", ")", "[", "]", ",", "?", ":",
            ".exists(x, ", ".all(x, ", "x", "size(", "has(", "timestamp(", "duration(", ".matches('a')", ".getHours()",
        ]), 1..12),
        context in "\\{\"a\": (1|\\[1, 2\\]|\"a\"|\\{\"a\": null\\})\\}",
    ) {
        if let Ok(condition) = Condition::new(&words.join(" ")) {
            let context = Properties::new(&context);
            let given = Given { context: Some(&context), ..Given::default() };
            let _ = condition.holds(NOW.parse().unwrap(), Some(&given));
        }
    }
}
