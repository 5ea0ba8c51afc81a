//! Reading goes on after every mistake, within bounds.

use super::*;

fn problems_of(text: &str) -> Vec<String> {
    let mut report = Report::new("x.ron");
    read_tree(text, &mut report);
    report.into_problems().iter().map(ToString::to_string).collect()
}

#[test]
fn reads_what_the_format_allows() {
    let text = "// a comment\n#![enable(implicit_some)]\nScene(a: 1_000, b: [true, Some(-2.5e1)], /* c */ m: {\"k\": (1, 2)}, r: r#\"q\"q\"#,)";
    let mut report = Report::new("x.ron");
    let tree = read_tree(text, &mut report);
    assert_eq!(report.into_problems(), []);
    let Value::Fields(fields) = &tree.value else { panic!("{tree:?}") };
    assert_eq!(tree.line, 3);
    assert_eq!(fields[0], ("a".into(), Node { line: 3, value: Value::Number("1000".into()) }));
    let Value::List(list) = &fields[1].1.value else { panic!("{fields:?}") };
    assert_eq!(list[1].value, Value::Number("-2.5e1".into()));
    assert_eq!(fields[3].1.value, Value::Text("q\"q".into()));
}

#[test]
fn goes_on_after_every_mistake() {
    let text = "(\n  a: 1\n  b: 2m,\n  c: \"open,\n  d: [1, 2),\n  e: 'x',\n";
    let told = problems_of(text);
    let lines: Vec<_> = told.iter().map(|problem| problem.split(':').nth(1).unwrap_or("")).collect();
    assert!(told.len() >= 4, "{told:#?}");
    for line in ["2", "3", "4", "5"] {
        assert!(lines.contains(&line), "no problem in line {line}: {told:#?}");
    }
}

#[test]
fn depth_and_garbage_end_in_bounded_work() {
    let told = problems_of(&"[".repeat(100_000));
    assert_eq!(told.len(), 1, "{told:#?}");
    assert!(problems_of(&"]:,)'\u{fe0f}\"".repeat(50_000)).len() <= crate::scene::read::MAX_PROBLEMS + 1);
}
