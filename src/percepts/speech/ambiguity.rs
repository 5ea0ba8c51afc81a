//! Phrases that sound alike and mean different things.
//!
//! In: a graph. Out: one problem for each pair of phrases, or of values of one slot, with a sentence that shows it. Two
//! paths through the graph are walked at once, as long as their phones are the same (the squared automaton of Béal,
//! Carton, Prieur and Sakarovitch, "Squaring transducers", 2003): the pair of an end with an end, reached in different
//! ways, is a sentence with two readings.

use std::collections::{BTreeSet, HashSet, VecDeque};

use super::{
    super::{SpokenCommand, phones::Phone},
    grammar::{END, GrammarProblem, Mark, PhoneGraph, START, State},
};

/// Pairs of states that are looked at; grammars of a hundred phrases need some ten thousand.
const MAX_PAIRS: usize = 300_000;
const MAX_TOLD: usize = 20;

/// Two paths with the same phones so far. What they have passed is kept from where they parted.
struct Pair {
    states: [State; 2],
    marks: [Vec<Mark>; 2],
    before: usize,
    phone: Option<Phone>,
}

/// All pairs of phrases that have a sentence in common but do not mean the same by it.
pub fn ambiguities(graph: &PhoneGraph) -> Vec<GrammarProblem> {
    let mut pairs = vec![Pair { states: [START, START], marks: [Vec::new(), Vec::new()], before: 0, phone: None }];
    let mut seen: HashSet<([State; 2], [Vec<Mark>; 2])> = HashSet::new();
    let mut told: BTreeSet<(usize, usize, Vec<String>)> = BTreeSet::new();
    let mut problems = Vec::new();
    let mut queue = VecDeque::from([0]);
    while let Some(index) = queue.pop_front() {
        let Pair { states, marks, .. } = &pairs[index];
        let (states, marks) = (*states, marks.clone());
        let sides = [outward(graph, states[0]), outward(graph, states[1])];
        let together = states[0] == states[1] && marks[0] == marks[1];
        for (i, (phone, to, passed)) in sides[0].iter().enumerate() {
            // From one state, each two ways out are looked at once.
            let others = if together { &sides[1][i..] } else { &sides[1][..] };
            for (other_phone, other_to, other_passed) in others {
                if phone != other_phone {
                    continue;
                }
                let mut both = [[&marks[0][..], passed].concat(), [&marks[1][..], other_passed].concat()];
                let shared = both[0].iter().zip(&both[1]).take_while(|(a, b)| a == b).count();
                // A phrase that both are in is known by its number in every later mark.
                both.iter_mut().for_each(|marks| drop(marks.drain(..shared)));
                let states = [*to, *other_to];
                let Some(phone) = phone else {
                    if both[0] != both[1] {
                        let phones = phones_of(&pairs, index);
                        problems.extend(difference(graph, &phones, &mut told));
                    }
                    continue;
                };
                if pairs.len() < MAX_PAIRS && seen.insert((states, both.clone())) {
                    pairs.push(Pair { states, marks: both, before: index, phone: Some(*phone) });
                    queue.push_back(pairs.len() - 1);
                }
            }
        }
        if problems.len() >= MAX_TOLD {
            break;
        }
    }
    problems.sort_by_key(|problem| problem.line);
    problems
}

/// The ways on from a state over silent arcs and one phone (`None`: to the end), with what they pass; words are left out.
fn outward(graph: &PhoneGraph, from: State) -> Vec<(Option<Phone>, State, Vec<Mark>)> {
    let mut found = Vec::new();
    let mut stack = vec![(from, Vec::new())];
    let telling = |mark: &Mark| !matches!(mark, Mark::Word(_));
    while let Some((state, marks)) = stack.pop() {
        if state == END {
            found.push((None, END, marks.clone()));
        }
        for arc in graph.arcs(state) {
            let marks: Vec<Mark> = marks.iter().copied().chain(arc.mark.filter(telling)).collect();
            match arc.phone {
                Some(_) => found.push((arc.phone, arc.to, marks)),
                None => stack.push((arc.to, marks)),
            }
        }
    }
    found
}

fn phones_of(pairs: &[Pair], mut index: usize) -> Vec<Phone> {
    let mut phones = Vec::new();
    while let Some(phone) = pairs[index].phone {
        phones.push(phone);
        index = pairs[index].before;
    }
    phones.reverse();
    phones
}

/// The problem of a sentence with two meanings, unless it has only one after all or was told already.
fn difference(
    graph: &PhoneGraph,
    phones: &[Phone],
    told: &mut BTreeSet<(usize, usize, Vec<String>)>,
) -> Option<GrammarProblem> {
    let readings = graph.readings(phones, 2);
    let [(first, one), (second, other)] = &readings[..] else { return None };
    let [early, late] = [*first.min(second), *first.max(second)];
    // Of two phrases one sentence is enough; of one phrase, each pair of values.
    let values = if first == second { [one.words.clone(), other.words.clone()].concat() } else { Vec::new() };
    if !told.insert((early, late, values)) {
        return None;
    }
    let lines = [graph.phrases()[early].line, graph.phrases()[late].line];
    let (earlier, later) = if first <= second { (one, other) } else { (other, one) };
    let what = format!(
        "\"{}\" ({}) sounds like \"{}\" ({}) of line {}",
        later.text,
        meaning(later),
        earlier.text,
        meaning(earlier),
        lines[0]
    );
    Some(GrammarProblem { line: lines[1], what, help: "say one of them in other words".to_owned() })
}

fn meaning(command: &SpokenCommand) -> String {
    match command.words.is_empty() {
        true => command.action.clone(),
        false => format!("{}({})", command.action, command.words.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::grammar::tests::source, *};

    fn told(commands: &[(&str, &str, &[&str])], objects: &[&str]) -> Vec<String> {
        let graph = PhoneGraph::compile(&source(commands, &[("object", objects)])).unwrap();
        ambiguities(&graph).into_iter().map(|problem| format!("{}: {}", problem.line, problem.what)).collect()
    }

    #[test]
    fn what_sounds_alike_and_means_another_thing_is_told_with_both_lines() {
        let found = told(&[("go right", "Turn", &["right"]), ("stop", "Stay", &[]), ("go write", "Write", &[])], &[]);
        assert_eq!(found, ["3: \"go write\" (Write) sounds like \"go right\" (Turn(right)) of line 1"]);
        let found = told(&[("find [the] {object}", "Find", &["object"])], &["dye", "mug", "die"]);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("Find(dye)") && found[0].contains("Find(die)"), "{found:?}");
        let found = told(&[("find {object}", "Find", &["object"]), ("find mug", "Look", &[])], &["duck", "mug"]);
        assert_eq!(found, ["2: \"find mug\" (Look) sounds like \"find mug\" (Find(mug)) of line 1"]);
    }

    #[test]
    fn two_ways_to_say_the_same_are_no_problem() {
        let commands: &[(&str, &str, &[&str])] = &[
            ("(find|show me) [the] {object}", "Find", &["object"]),
            ("find [the|a] {object}", "Find", &["object"]),
            ("(stop|halt)", "Stay", &[]),
            ("stop [it]", "Stay", &[]),
        ];
        assert_eq!(told(commands, &["mug", "duck", "cup"]), [""; 0]);
    }
}
