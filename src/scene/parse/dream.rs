//! `dream("marble", seed: 7, scale_m: 1.5)`: a surface that a generator makes, written wherever a material can stand.
//!
//! In: the call, and which materials the generator knows (nothing is told about names where there is no generator). Out: a
//! [`DreamSpec`] that can be carried out, or what is wrong with it.

use std::{cell::RefCell, collections::BTreeMap};

use crate::{
    base::{Seed, did_you_mean},
    scene::{
        DREAM_CELL, DREAM_SIZE, DreamMaterials, DreamSpec, MAX_DREAM_SIZE, MAX_MIXED, Mapping, Mixture, Variation,
        read::{self, Fields, Report},
        spec::MaterialSpec,
        syntax::{Node, Value},
        undreamt,
    },
};

const MAPPINGS: [(&str, Mapping); 2] = [("Uv", Mapping::Uv), ("Box", Mapping::Box)];

/// The materials of a scene: those under `materials`, and dreams that are written where they are worn.
pub(super) struct Palette<'a> {
    named: BTreeMap<String, MaterialSpec>,
    /// Rooms and objects add theirs while they are read.
    worn: RefCell<BTreeMap<String, MaterialSpec>>,
    dreams: &'a DreamMaterials,
}

impl<'a> Palette<'a> {
    pub fn new(named: BTreeMap<String, MaterialSpec>, dreams: &'a DreamMaterials) -> Self {
        Self { named, worn: RefCell::default(), dreams }
    }

    /// Names that commands may use.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.named.keys().chain(&self.dreams.0).map(String::as_str)
    }

    /// The name of a material that the scene defines, or of a dream that is defined here and now.
    pub fn name(&self, node: &Node, field: &str, report: &mut Report) -> Option<String> {
        if let Value::Call { .. } = &node.value {
            let dream = dream(node, self.dreams, report)?;
            let name = dream.to_string();
            let material = MaterialSpec { nameless: true, ..material_of(dream) };
            self.worn.borrow_mut().insert(name.clone(), material);
            return Some(name);
        }
        let name = read::text(node, field, report)?;
        if !self.named.contains_key(name) {
            let help = match did_you_mean(name, self.named.keys().map(String::as_str)) {
                Some(near) => format!("did you mean \"{near}\"?"),
                None if self.dreams.contains(name) => {
                    format!("write dream(\"{name}\"), or define it under `materials`")
                }
                None => "define it under `materials`".to_owned(),
            };
            report.add(node.line, format!("unknown material \"{name}\""), help);
        }
        Some(name.to_owned())
    }

    /// All of them.
    pub fn into_materials(self) -> BTreeMap<String, MaterialSpec> {
        let mut all = self.worn.into_inner();
        // A name that somebody gave counts.
        all.extend(self.named);
        all
    }
}

/// A material that is nothing but dreamt.
pub(super) fn material_of(dream: DreamSpec) -> MaterialSpec {
    MaterialSpec { dream: Some(dream.clone()), ..undreamt(dream.mixture.main()) }
}

/// Reads a call of `dream`.
pub(super) fn dream(node: &Node, known: &DreamMaterials, report: &mut Report) -> Option<DreamSpec> {
    const FORM: &str = "write dream(\"marble\", seed: 7, scale_m: 1.5)";
    let Value::Call { name, values, fields } = &node.value else {
        if node.value != Value::Wrong {
            report.add(node.line, format!("a dream is a call, found {}", node.value.noun()), FORM);
        }
        return None;
    };
    if name != "dream" {
        let help = match did_you_mean(name, ["dream"]) {
            Some(near) => format!("did you mean {near}?"),
            None => FORM.to_owned(),
        };
        report.add(node.line, format!("unknown call \"{name}\""), help);
        return None;
    }
    let before = report.len();
    let material = match &values[..] {
        [material] => read::text(material, "material", report),
        _ => {
            report.add(node.line, format!("dream takes one material, found {}", values.len()), FORM);
            None
        }
    };
    let fields = Fields::of(fields, node.line, "dream", &["seed", "scale_m", "size", "mix", "shade", "map"], report);
    let seed = fields.get("seed").and_then(|node| read::whole_number(node, "seed", report)).unwrap_or(0);
    let scale_m = fields.get("scale_m").and_then(|node| read::number(node, "scale_m", [0.01, 100.0], report));
    let shade = fields.number_or("shade", 1.0, [0.1, 2.0], report);
    let mapping = fields.choice("map", &MAPPINGS, report);
    let mut size = DREAM_SIZE;
    if let Some(node) = fields.get("size")
        && let Some(written) = read::whole_number(node, "size", report)
    {
        match u32::try_from(written) {
            Ok(fits) if fits > 0 && fits.is_multiple_of(DREAM_CELL) && fits <= MAX_DREAM_SIZE => size = fits,
            _ => {
                let help = format!("write a multiple of {DREAM_CELL} from {DREAM_CELL} to {MAX_DREAM_SIZE}");
                report.add(node.line, format!("a texture cannot be {written} texels wide"), help);
            }
        }
    }
    let mixed = mixed(fields.get("mix"), report);
    let names = values.iter().zip(material).chain(mixed.iter().map(|(node, name, _)| (*node, *name)));
    for (node, name) in names {
        if !known.0.is_empty() && !known.contains(name) {
            report.add(node.line, format!("unknown material \"{name}\""), known.help(name));
        }
    }
    let share: f32 = mixed.iter().map(|(_, _, share)| share).sum();
    if let (Some(material), true) = (material, share >= 0.995) {
        let told = format!("the shares of `mix` are {share:.2} together");
        report.add(node.line, told, format!("leave some for \"{material}\": less than 1 in all"));
    }
    let material = material.filter(|_| report.len() == before)?;
    let parts = mixed.iter().map(|(_, name, share)| (*name, *share)).filter(|(name, _)| *name != material);
    let rest = 1.0 - parts.clone().map(|(_, share)| share).sum::<f32>();
    let mixture = Mixture::of_shares(parts.chain([(material, rest)]))?;
    Some(DreamSpec { mixture, variation: Variation::of(Seed(seed)), size, scale_m, shade, mapping, stretch: 1.0 })
}

/// `{"moss": 0.3}`: the place of each name, the name, its share.
fn mixed<'a>(node: Option<&'a Node>, report: &mut Report) -> Vec<(&'a Node, &'a str, f32)> {
    let Some(node) = node else { return Vec::new() };
    let Value::Map(entries) = &node.value else {
        if node.value != Value::Wrong {
            let told = format!("\"mix\" must be a map, found {}", node.value.noun());
            report.add(node.line, told, "write { \"moss\": 0.3 }");
        }
        return Vec::new();
    };
    if entries.len() >= MAX_MIXED {
        let help = format!("at most {} besides the first", MAX_MIXED - 1);
        report.add(node.line, format!("{} materials are mixed in", entries.len()), help);
    }
    let mut found: Vec<(&Node, &str, f32)> = Vec::new();
    for (key, value) in entries.iter().take(MAX_MIXED - 1) {
        let name = read::text(key, "material", report);
        let share = read::number(value, "share", [0.01, 0.99], report);
        let (Some(name), Some(share)) = (name, share) else { continue };
        if found.iter().any(|(_, earlier, _)| *earlier == name) {
            report.add(key.line, format!("\"{name}\" is mixed in twice"), "keep one of them");
        } else {
            found.push((key, name, share));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::{Pattern, syntax::read_tree};

    fn parsed(text: &str, known: &[&str]) -> Result<DreamSpec, Vec<String>> {
        let mut report = Report::new("x");
        let tree = read_tree(text, &mut report);
        let known = DreamMaterials(known.iter().map(|name| (*name).to_owned()).collect());
        let found = dream(&tree, &known, &mut report);
        let problems: Vec<String> = report.into_problems().iter().map(ToString::to_string).collect();
        found.filter(|_| problems.is_empty()).ok_or(problems)
    }

    #[test]
    fn what_is_written_is_dreamt_and_the_rest_has_defaults() {
        let full = r#"dream("marble", seed: 7, scale_m: 1.5, size: 128, mix: {"moss": 0.3}, shade: 0.8, map: Box)"#;
        let dream = parsed(full, &["marble", "moss"]).unwrap();
        assert_eq!((dream.mixture.to_string().as_str(), dream.size), ("marble 70 + moss 30", 128));
        assert_eq!((dream.scale_m, dream.shade, dream.mapping), (Some(1.5), 0.8, Some(Mapping::Box)));
        assert_eq!(dream.variation, Variation::of(Seed(7)));
        assert_eq!(parsed("dream(\"bricks\")", &[]), Ok(DreamSpec::of("bricks", Seed(0))));
        assert_eq!(material_of(DreamSpec::of("bricks", Seed(0))).pattern, Pattern::Bricks);
    }

    #[test]
    fn all_that_is_wrong_with_a_dream_is_told_at_once() {
        let wrong = r#"dream("marbel", size: 100, mix: {"mos": 0.6, "rust": 0.7}, shade: 9, colour: "red")"#;
        let told = parsed(wrong, &["marble", "moss", "rust"]).unwrap_err();
        assert_eq!(told.len(), 6, "{told:#?}");
        let has = |words: &str| told.iter().any(|problem| problem.contains(words));
        assert!(has("unknown material \"marbel\"; did you mean \"marble\"?"), "{told:#?}");
        assert!(has("did you mean \"moss\"?") && has("multiple of 32") && has("1.30 together"), "{told:#?}");
        assert!(has("unknown field \"colour\" of a dream"), "{told:#?}");
        // Without a generator nobody knows which names are right.
        assert!(parsed("dream(\"marbel\")", &[]).is_ok());
        for wrong in ["dream()", "dream(\"a\", \"b\")", "dram(\"a\")", "dream(7)", "(\"a\", \"b\")"] {
            assert_eq!(parsed(wrong, &[]).unwrap_err().len(), 1, "{wrong}");
        }
    }
}
