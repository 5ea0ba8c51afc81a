//! Percentiles of measured values.

/// The value below which each of the given parts (0 to 1) of the values lies, by linear interpolation between the two
/// nearest ranks (Hyndman and Fan 1996, type 7); 0 where there is no value. Values that are not finite are left out.
pub fn percentiles<const N: usize>(values: &[f64], parts: [f64; N]) -> [f64; N] {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    parts.map(|part| {
        let Some(last) = sorted.len().checked_sub(1) else { return 0.0 };
        let rank = part.clamp(0.0, 1.0) * last as f64;
        let (below, above) = (sorted[rank.floor() as usize], sorted[rank.ceil() as usize]);
        below + (above - below) * rank.fract()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_interpolated() {
        // numpy.percentile([4, 1, 3, 2], [0, 50, 90, 100])
        let found = percentiles(&[4.0, 1.0, 3.0, 2.0], [0.0, 0.5, 0.9, 1.0]);
        for (found, expected) in found.iter().zip([1.0, 2.5, 3.7, 4.0]) {
            assert!((found - expected).abs() < 1e-12, "{found} ≠ {expected}");
        }
        assert_eq!(percentiles(&[], [0.5]), [0.0]);
    }
}
