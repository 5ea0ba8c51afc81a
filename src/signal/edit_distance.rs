//! How far one sequence is from another: the errors of words and phones.

/// The least number of insertions, deletions and substitutions that turn `found` into `truth`.
///
/// Source: Wagner and Fischer, "The string-to-string correction problem", 1974.
pub fn edit_distance<T: PartialEq>(truth: &[T], found: &[T]) -> usize {
    let mut row: Vec<usize> = (0..=found.len()).collect();
    for (index, expected) in truth.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = index + 1;
        for (column, item) in found.iter().enumerate() {
            let substituted = diagonal + usize::from(item != expected);
            diagonal = row[column + 1];
            row[column + 1] = substituted.min(row[column] + 1).min(diagonal + 1);
        }
    }
    row[found.len()]
}

/// CTC's simplest reading: the best output of every step, repetitions and blanks (0) left out.
///
/// `log_probs`: steps × `outputs`, row by row. Source: Graves et al., "Connectionist temporal classification", ICML 2006.
pub fn greedy_labels(log_probs: &[f32], outputs: usize) -> Vec<u8> {
    let mut labels = Vec::new();
    let mut last = 0;
    for step in log_probs.chunks_exact(outputs) {
        let best = (0..outputs).max_by(|&a, &b| step[a].total_cmp(&step[b])).unwrap_or(0);
        if best != last && best != 0 {
            labels.push(best as u8);
        }
        last = best;
    }
    labels
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_of_known_pairs() {
        let distance = |a: &str, b: &str| edit_distance(a.as_bytes(), b.as_bytes());
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("abc", ""), 3);
        assert_eq!(distance("flaw", "lawn"), 2);
        assert_eq!(distance("same", "same"), 0);
    }

    #[test]
    fn repetitions_count_once_unless_a_blank_parts_them() {
        let steps = [1, 1, 0, 1, 2, 2, 0, 0, 2];
        let log_probs: Vec<f32> =
            steps.iter().flat_map(|&best| (0..3).map(move |output| if output == best { 0.0 } else { -9.0 })).collect();
        assert_eq!(greedy_labels(&log_probs, 3), [1, 1, 2, 2]);
    }
}
