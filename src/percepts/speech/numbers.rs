//! Whole numbers as people say them.

const SMALL: [&str; 20] = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];
const TENS: [&str; 10] = ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];

/// The words of a number from 0 to 999: `one hundred and five`, without "and" if `short`; digit by digit above.
pub fn number_words(number: u64, short: bool) -> Vec<&'static str> {
    match number {
        0..20 => vec![SMALL[number as usize]],
        20..100 => {
            let mut words = vec![TENS[number as usize / 10]];
            if !number.is_multiple_of(10) {
                words.push(SMALL[number as usize % 10]);
            }
            words
        }
        100..1000 => {
            let mut words = vec![SMALL[number as usize / 100], "hundred"];
            if !number.is_multiple_of(100) {
                words.extend((!short).then_some("and"));
                words.extend(number_words(number % 100, short));
            }
            words
        }
        _ => number.to_string().bytes().map(|digit| SMALL[usize::from(digit - b'0')]).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_said_in_words() {
        for (number, said) in
            [(0, "zero"), (13, "thirteen"), (40, "forty"), (99, "ninety nine"), (105, "one hundred and five")]
        {
            assert_eq!(number_words(number, false).join(" "), said);
        }
        assert_eq!(number_words(999, true).join(" "), "nine hundred ninety nine");
        assert_eq!(number_words(2026, false).join(" "), "two zero two six");
    }
}
