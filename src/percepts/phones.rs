//! The sounds of English that the speech model tells apart, in the order of its outputs.

/// ARPAbet phones without stress, as in CMUdict 0.7b, in alphabetical order.
pub const PHONES: [&str; 39] = [
    "AA", "AE", "AH", "AO", "AW", "AY", "B", "CH", "D", "DH", "EH", "ER", "EY", "F", "G", "HH", "IH", "IY", "JH", "K",
    "L", "M", "N", "NG", "OW", "OY", "P", "R", "S", "SH", "T", "TH", "UH", "UW", "V", "W", "Y", "Z", "ZH",
];

/// The output that means "no new sound" (CTC's blank, Graves et al. 2006).
pub const BLANK: usize = 0;

/// The number of the model's outputs: the blank, then the phones.
pub const OUTPUTS: usize = PHONES.len() + 1;

/// One phone as the number of the model's output for it, 1 to [`PHONES`]`.len()`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Phone(pub u8);

impl Phone {
    /// The phone of an ARPAbet name; a digit for stress at its end is left aside.
    pub fn named(name: &str) -> Option<Self> {
        let bare = name.trim_end_matches(|c: char| c.is_ascii_digit());
        let index = PHONES.iter().position(|phone| *phone == bare)?;
        Some(Self(index as u8 + 1))
    }

    /// The ARPAbet name.
    pub fn name(self) -> &'static str {
        PHONES[usize::from(self.0) - 1]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_are_inverse() {
        for (index, name) in PHONES.iter().enumerate() {
            let phone = Phone::named(&format!("{name}1")).unwrap();
            assert_eq!((usize::from(phone.0), phone.name()), (index + 1, *name));
        }
        assert_eq!(Phone::named("QQ"), None);
    }
}
