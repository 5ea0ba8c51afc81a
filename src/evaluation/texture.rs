//! How good dreamt textures are, told by the features that a judge sees in pictures.
//!
//! In: feature vectors of real and of dreamt pictures of one material. Out: distances. Pure; who the judge is, is the
//! caller's business.

/// The squared kernel distance between two sets of feature vectors (KID), without bias: it can be slightly negative for sets
/// of one distribution.
///
/// Source: Bińkowski et al., "Demystifying MMD GANs", ICLR 2018: the cubic polynomial kernel (x·y / d + 1)³.
pub fn kernel_distance(a: &[Vec<f32>], b: &[Vec<f32>]) -> f64 {
    let kernel = |x: &[f32], y: &[f32]| {
        let product: f64 = x.iter().zip(y).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum();
        (product / x.len() as f64 + 1.0).powi(3)
    };
    let within = |set: &[Vec<f32>]| {
        let pairs = set.len() * set.len().saturating_sub(1);
        let sum: f64 = (0..set.len())
            .flat_map(|i| (0..set.len()).filter(move |j| *j != i).map(move |j| (i, j)))
            .map(|(i, j)| kernel(&set[i], &set[j]))
            .sum();
        sum / pairs.max(1) as f64
    };
    let across: f64 = a.iter().flat_map(|x| b.iter().map(move |y| kernel(x, y))).sum();
    within(a) + within(b) - 2.0 * across / (a.len() * b.len()).max(1) as f64
}

/// Mean Euclidean distance between two different vectors of a set.
pub fn mean_pairwise_distance(set: &[Vec<f32>]) -> f64 {
    let pairs: Vec<f64> =
        (0..set.len()).flat_map(|i| (0..i).map(move |j| (i, j))).map(|(i, j)| distance(&set[i], &set[j])).collect();
    pairs.iter().sum::<f64>() / pairs.len().max(1) as f64
}

/// Mean distance of each vector of `set` to the nearest of `others`.
pub fn mean_nearest_distance(set: &[Vec<f32>], others: &[Vec<f32>]) -> f64 {
    let nearest = |x: &Vec<f32>| others.iter().map(|y| distance(x, y)).fold(f64::INFINITY, f64::min);
    set.iter().map(nearest).sum::<f64>() / set.len().max(1) as f64
}

fn distance(x: &[f32], y: &[f32]) -> f64 {
    x.iter().zip(y).map(|(x, y)| f64::from(x - y).powi(2)).sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use rand::RngExt;

    use super::*;
    use crate::base::Seed;

    fn cloud(center: f32, seed: u64) -> Vec<Vec<f32>> {
        let mut rng = Seed(seed).rng();
        (0..200).map(|_| (0..4).map(|_| center + rng.random_range(-1.0..1.0_f32)).collect()).collect()
    }

    #[test]
    fn equal_clouds_are_near_and_moved_ones_far() {
        let near = kernel_distance(&cloud(0.0, 1), &cloud(0.0, 2));
        let far = kernel_distance(&cloud(0.0, 1), &cloud(1.0, 2));
        assert!(near.abs() < 0.02, "{near}");
        assert!(far > 1.0, "{far}");
    }

    #[test]
    fn the_kernel_distance_of_two_points_each_is_that_of_the_formula() {
        // Kernel values by hand: d = 1, x ∈ {0, 1}, y ∈ {1, 2}: k(0,1) = 1, k(1,2) = 27, across (1 + 1 + 8 + 27) / 4.
        let found = kernel_distance(&[vec![0.0], vec![1.0]], &[vec![1.0], vec![2.0]]);
        assert!((found - (1.0 + 27.0 - 2.0 * 37.0 / 4.0)).abs() < 1e-9, "{found}");
    }

    #[test]
    fn distances_of_a_square() {
        let square = [vec![0.0, 0.0], vec![1.0, 0.0], vec![0.0, 1.0], vec![1.0, 1.0]];
        let expected = (4.0 + 2.0 * 2.0_f64.sqrt()) / 6.0;
        assert!((mean_pairwise_distance(&square) - expected).abs() < 1e-6);
        assert!((mean_nearest_distance(&[vec![0.0, 3.0]], &square) - 2.0).abs() < 1e-6);
    }
}
