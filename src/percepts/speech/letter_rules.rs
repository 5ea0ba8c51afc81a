//! How a word that no dictionary has is most likely spoken: rules from letters to sounds, for English.
//!
//! In: a lower-case word of the letters a to z. Out: phones. The rules are those of the Naval Research Laboratory (H. S.
//! Elovitz, R. Johnson, A. McHugh, J. E. Shore, "Automatic Translation of English Text to Phonetics by Means of
//! Letter-to-Sound Rules", NRL Report 7948, 1976), written in ARPAbet and completed for names and doubled letters.

use std::sync::OnceLock;

use super::super::phones::Phone;

/// One rule a word, `left[letters]right=phones`, those of one first letter together; the first that fits counts.
///
/// Around the letters stand: `_` the word's edge · `#` one or more vowels · `:` any consonants, also none · `^` one
/// consonant · `.` one voiced consonant · `+` e, i or y · `%` one of er, e, es, ed, ing, ely · `&` a sibilant · `@` a
/// consonant after which long u is not softened.
const RULES: &str = "
_[a]_=AH _[are]_=AA-R _[ar]o=AH-R [ar]#=EH-R _^[as]#=EY-S [a]wa=AH [aw]=AO _:[any]=EH-N-IY [a]^+#=EY #:[ally]=AH-L-IY
_[al]#=AH-L [again]=AH-G-EH-N #:[ag]e=IH-JH [a]^+:#=AE _:[a]^+_=EY [a]^%=EY _[arr]=AH-R [arr]=AE-R _:[ar]_=AA-R
#:[ard]_=ER-D [ar]_=ER [ar]=AA-R [air]=EH-R [aigh]=EY [ai]=EY [ay]=EY [augh]=AO [au]=AO #:[al]_=AH-L #:[als]_=AH-L-Z
[alk]=AO-K [al]^=AO-L _:[able]=EY-B-AH-L [able]=AH-B-AH-L [ange]=EY-N-JH [aa]=AA [ae]=EY #:[a]_=AH #:[an]_=AH-N
#:[ant]_=AH-N-T #:[ance]_=AH-N-S [a]=AE
_[be]^#=B-IH [being]=B-IY-IH-NG _[both]_=B-OW-TH _[bus]#=B-IH-Z [buil]=B-IH-L m[b]_= m[bs]_=Z [bb]=B [b]=B
_[ch]r=K ^e[ch]=K [chs]_=K-S s[ch]=K [ch]=CH _s[ci]#=S-AY [ci]a=SH [ci]o=SH [ci]en=SH [cc]+=K-S [cc]=K [ck]=K s[c]+=
[c]+=S [com]%=K-AH-M _[con]=K-AH-N [cz]=CH [c]=K
#:[ded]_=D-IH-D .e[d]_=D #:^e[d]_=T _[de]^#=D-IH _[do]_=D-UW [dge]=JH [dg]+=JH [du]a=JH-UW [dd]=D [dt]=T [d]=D
_e[e]=IY #:[e]_= _:^[e]_=IY #[ed]_=D #:[e]d_= [ev]er=EH-V [e]^%=IY [eri]#=IY-R-IY [eri]=EH-R-IH [err]=EH-R #:[ers]_=ER-Z
#:[er]#=ER [er]#=EH-R [er]=ER _[even]=IY-V-IH-N #:[e]w= @[ew]=UW [ew]=Y-UW [e]o=IY #:&[es]_=IH-Z #:[e]s_=
#:[ely]_=L-IY #:[ement]=M-AH-N-T [eful]=F-AH-L [eer]=IH-R [ee]=IY [earn]=ER-N _[ear]^=ER [ear]=IH-R [ead]=EH-D
#:[ea]_=IY-AH [ea]su=EH [eau]=OW [ea]=IY [eigh]=EY [ein]=AY-N [ei]=IY _[eye]=AY [ey]_=IY [ey]=EY [eu]=Y-UW #:[en]_=AH-N
#:[ent]_=AH-N-T #:[ence]_=AH-N-S #:[el]_=AH-L #:[els]_=AH-L-Z #:[ens]_=AH-N-Z #:[et]_=AH-T #:[est]_=AH-S-T
#:[ess]_=AH-S [e]=EH
[ful]_=F-AH-L [ff]=F [f]=F
[giv]=G-IH-V _[g]i^=G [ge]t=G-EH su[gges]=G-JH-EH-S [gg]=G _b#[g]=G _[gh]=G _[gn]=N [gn]_=N [g]+=JH [great]=G-R-EY-T #[gh]=
[g]=G
_[hav]=HH-AE-V _[here]=HH-IY-R _[hour]=AW-ER [how]=HH-AW [h]#=HH [h]=
_[in]=IH-N _[i]_=AY [in]d=AY-N #:[ier]_=IY-ER [ier]=IY-R #:r[ied]=IY-D [ied]_=AY-D [ien]=IY-AH-N [ie]t=AY-AH _:[i]%=AY
[i]%=IY [ie]=IY [i]^+:#=IH [ir]#=AY-R [iz]%=AY-Z [is]%=AY-Z [i]d%=AY +^[i]^+=IH [i]t%=AY #:^[i]^+=IH [i]^+=AY [ir]=ER
[igh]=AY [ild]=AY-L-D [ign]_=AY-N [ign]^=AY-N [ign]%=AY-N [ique]=IY-K #:[ism]_=IH-Z-AH-M [ia]=IY-AH [io]=IY-OW #:[i]_=IY
[i]=IH
[j]=JH
_[k]n= [kk]=K [kh]=K [k]=K
[lo]c#=L-OW l[l]= #:^[l]%=AH-L [lead]=L-IY-D [l]=L
[mov]=M-UW-V _[mc]k=M-AH _[mc]=M-AH-K [mm]=M [m]=M
e[ng]+=N-JH [ng]r=NG-G [ng]#=NG-G [ngl]%=NG-G-AH-L [ng]=NG [nk]=NG-K [nx]=NG-K-S _[now]_=N-AW [nn]=N [n]=N
[of]_=AH-V [orough]=ER-OW #:[or]_=ER #:[ors]_=ER-Z [oar]=AO-R [or]=AO-R _[one]=W-AH-N [ow]n=AW [owd]=AW-D [ow]el=AW
[ow]er=AW [ow]=OW _[over]=OW-V-ER [ov]er=OW-V [ov]=AH-V [o]^%=OW [o]^en=OW [o]^i#=OW [ol]d=OW-L [oll]_=OW-L [ought]=AO-T
[ough]=AH-F _[ou]=AW h[ou]s#=AW [ous]=AH-S [our]=AO-R [ould]=UH-D [oup]=UW-P [ou]=AW [oy]=OY [oing]=OW-IH-NG [oi]=OY
[oor]=AO-R [ook]=UH-K [ood]=UH-D [oo]=UW [o]e=OW [o]_=OW [os]_=OW-Z [oa]=OW _[only]=OW-N-L-IY _[once]=W-AH-N-S
c[o]n=AA [o]ng=AO i[on]=AH-N #:[on]_=AH-N #:[ons]_=AH-N-Z #^[on]=AH-N [o]st_=OW [oth]er=AH-DH [oss]_=AO-S #:^[om]=AH-M
[o]=AA
[ph]=F [peop]=P-IY-P [pow]=P-AW [put]_=P-UH-T _[ps]=S _[pn]=N _[pf]=F [pp]=P [p]=P
[quar]=K-W-AO-R [que]_=K [qu]=K-W [q]=K
_[re]^#=R-IY [rh]=R [rr]=R [r]=R
[sh]=SH #[sion]=ZH-AH-N ^[sion]=SH-AH-N [ssion]=SH-AH-N [some]=S-AH-M #[sur]#=ZH-ER [sur]#=SH-ER #[su]#=ZH-UW
#[ssu]#=SH-UW #[sed]_=Z-D #[s]#=Z [said]=S-EH-D [s]s= .[s]_=Z #:.e[s]_=Z #:^##[s]_=Z #:^#[s]_=S u[s]_=S _:#[s]_=Z
_[sch]oo=S-K _[sch]=SH [s]c+=S #[sm]_=Z-AH-M [s]=S
_[the]_=DH-AH _[to]_=T-UW _[that]_=DH-AE-T _[this]_=DH-IH-S _[they]=DH-EY _[there]=DH-EH-R [ther]=DH-ER _[them]_=DH-EH-M
_[these]_=DH-IY-Z _[then]=DH-EH-N [thm]_=DH-AH-M [th]=TH #:[ted]_=T-IH-D s[ti]#n=CH [tion]=SH-AH-N [ti]o=SH [ti]a=SH
[tien]=SH-AH-N [tur]#=CH-ER [tu]a=CH-UW [tch]=CH [tz]=T-S s[t]le= s[t]en= [tt]=T [t]=T
_[un]i=Y-UW-N _[un]=AH-N _[upon]=AH-P-AO-N @[ur]#=UH-R [ur]#=Y-UH-R [ur]=ER [u]^_=AH [u]^^=AH [uy]=AY _g[u]#= g[u]%=
g[u]#=W #n[u]=Y-UW [ue]_=UW [ui]=UW #:[um]_=AH-M #:[us]_=AH-S @[u]=UW [u]=Y-UW
[view]=V-Y-UW [vv]=V [v]=V
_[were]=W-ER [wa]s=W-AA [wa]t=W-AA [wa]n=W-AA [where]=W-EH-R [what]=W-AH-T [whol]=HH-OW-L [who]=HH-UW [wh]=W [war]_=W-AO-R
[war]=W-AO-R [wor]^=W-ER [wr]=R #[w]_= [w]=W
_[x]=Z [x]=K-S
[young]=Y-AH-NG _[you]=Y-UW _[y]=Y #:^[y]_=IY #:^[y]i=IY _:[y]_=AY _:[y]#=AY _:[y]^+:#=IH _:[y]^#=AY #[y]#=Y [y]=IH
[zz]=T-S [z]=Z
";

struct Rule {
    left: &'static [u8],
    letters: &'static [u8],
    right: &'static [u8],
    phones: Vec<Phone>,
}

/// The phones of a lower-case word; empty if no letter of it is spoken, and `None` if it holds anything but a to z.
pub fn spoken_as_written(word: &str) -> Option<Vec<Phone>> {
    if word.is_empty() || !word.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return None;
    }
    let word = word.as_bytes();
    let mut phones = Vec::new();
    let mut at = 0;
    while at < word.len() {
        let fits = |rule: &&Rule| {
            word[at..].starts_with(rule.letters)
                && fits_right(&word[at + rule.letters.len()..], rule.right)
                && fits_left(&word[..at], rule.left)
        };
        match rules().iter().find(fits) {
            Some(rule) => {
                phones.extend(&rule.phones);
                at += rule.letters.len();
            }
            // Every letter has a rule without context; a test says so.
            None => at += 1,
        }
    }
    // Two letters of one sound, each with a rule of its own, are one sound.
    phones.dedup();
    Some(phones)
}

fn rules() -> &'static [Rule] {
    static RULES_READ: OnceLock<Vec<Rule>> = OnceLock::new();
    RULES_READ.get_or_init(|| {
        let read = |text: &'static str| {
            let (left, rest) = text.split_once('[')?;
            let (letters, rest) = rest.split_once(']')?;
            let (right, sounds) = rest.split_once('=')?;
            let phones = sounds.split('-').filter(|name| !name.is_empty()).filter_map(Phone::named).collect();
            Some(Rule { left: left.as_bytes(), letters: letters.as_bytes(), right: right.as_bytes(), phones })
        };
        RULES.split_whitespace().filter_map(read).collect()
    })
}

fn is_vowel(letter: u8) -> bool {
    b"aeiouy".contains(&letter)
}

/// Whether one letter is of the kind that a sign stands for.
fn is_kind(sign: u8, letter: u8) -> bool {
    match sign {
        b'^' => !is_vowel(letter),
        b'.' => b"bdvgjlmnrwz".contains(&letter),
        b'+' => b"eiy".contains(&letter),
        b'&' => b"scgzxj".contains(&letter),
        b'@' => b"tsrdlznj".contains(&letter),
        _ => sign == letter,
    }
}

/// Whether what follows a rule's letters begins as the rule wants.
fn fits_right(rest: &[u8], pattern: &[u8]) -> bool {
    let Some((&sign, pattern)) = pattern.split_first() else { return true };
    let run = |kind: fn(u8) -> bool| rest.iter().take_while(|letter| kind(**letter)).count();
    match sign {
        b'_' => rest.is_empty(),
        b'#' => (1..=run(is_vowel)).rev().any(|length| fits_right(&rest[length..], pattern)),
        b':' => (0..=run(|letter| !is_vowel(letter))).rev().any(|length| fits_right(&rest[length..], pattern)),
        b'%' => ["er", "es", "ed", "ing", "ely", "e"]
            .iter()
            .any(|suffix| rest.strip_prefix(suffix.as_bytes()).is_some_and(|rest| rest.is_empty())),
        _ => rest.first().is_some_and(|letter| is_kind(sign, *letter)) && fits_right(&rest[1..], pattern),
    }
}

/// Whether what precedes a rule's letters ends as the rule wants.
fn fits_left(before: &[u8], pattern: &[u8]) -> bool {
    let Some((&sign, pattern)) = pattern.split_last() else { return true };
    let run = |kind: fn(u8) -> bool| before.iter().rev().take_while(|letter| kind(**letter)).count();
    let without = |length: usize| &before[..before.len() - length];
    match sign {
        b'_' => before.is_empty(),
        b'#' => (1..=run(is_vowel)).rev().any(|length| fits_left(without(length), pattern)),
        b':' => (0..=run(|letter| !is_vowel(letter))).rev().any(|length| fits_left(without(length), pattern)),
        _ => before.last().is_some_and(|letter| is_kind(sign, *letter)) && fits_left(without(1), pattern),
    }
}

#[cfg(test)]
mod tests {
    use arpabet_cmudict::CMU_DICT;

    use super::*;

    #[test]
    fn every_rule_is_read_and_every_letter_has_one() {
        assert_eq!(rules().len(), RULES.split_whitespace().count());
        let names: usize = RULES
            .split_whitespace()
            .map(|rule| rule.split_once('=').map_or("", |(_, s)| s))
            .fold(0, |n, s| n + s.split('-').filter(|name| !name.is_empty()).count());
        assert_eq!(rules().iter().map(|rule| rule.phones.len()).sum::<usize>(), names, "a phone is misspelt");
        for letter in b'a'..=b'z' {
            let plain = |rule: &&Rule| rule.letters == [letter] && rule.left.is_empty() && rule.right.is_empty();
            assert!(rules().iter().any(|rule| plain(&rule)), "{}", letter as char);
        }
        assert_eq!(spoken_as_written("naïve"), None);
    }

    /// Least number of insertions, deletions and substitutions (Levenshtein).
    fn distance(a: &[Phone], b: &[Phone]) -> usize {
        let mut row: Vec<usize> = (0..=b.len()).collect();
        for (i, x) in a.iter().enumerate() {
            let mut diagonal = row[0];
            row[0] = i + 1;
            for (j, y) in b.iter().enumerate() {
                let replaced = diagonal + usize::from(x != y);
                diagonal = row[j + 1];
                row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
            }
        }
        row[b.len()]
    }

    /// Words of all kinds, surnames and brands too: every 97th of CMUdict's 133,793 entries.
    #[test]
    fn phone_error_rate_against_the_dictionary() {
        let mut words: Vec<&str> = CMU_DICT.keys().copied().collect();
        words.sort_unstable();
        words.retain(|word| word.len() > 2 && word.bytes().all(|byte| byte.is_ascii_lowercase()));
        let (mut errors, mut phones, mut right, mut count) = (0, 0, 0, 0);
        for word in words.iter().step_by(97) {
            let truth: Vec<Phone> = CMU_DICT[word].iter().filter_map(|phone| Phone::named(phone.to_str())).collect();
            let told = spoken_as_written(word).expect("letters only");
            let wrong = distance(&told, &truth);
            (errors, phones, right, count) =
                (errors + wrong, phones + truth.len(), right + usize::from(wrong == 0), count + 1);
        }
        let rate = errors as f64 / phones as f64;
        println!("letters to sounds: phone error rate {rate:.3}, {right} of {count} words right");
        assert!(count > 1_000 && rate < 0.20, "phone error rate {rate}");
    }
}
