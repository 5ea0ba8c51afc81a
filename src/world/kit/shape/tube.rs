//! Tubes along curves: handles, spouts, stems, wires, rings.

use std::f32::consts::{FRAC_PI_2, TAU};

use bevy::math::{Quat, Vec2, Vec3};

use crate::world::kit::MeshBuffers;

/// How a tube ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ends {
    /// Closed by flat faces.
    Flat,
    /// Closed by half an ellipsoid.
    Round,
    /// Not closed: for ends that are hidden inside another body.
    Open,
    /// The last point is joined to the first: a ring. The first point is not repeated.
    Joined,
}

/// `samples` points of a smooth curve through `points` (Catmull-Rom), first and last included.
///
/// Source: Catmull and Rom, "A class of local interpolating splines", 1974.
pub fn curve(points: &[Vec3], samples: usize) -> Vec<Vec3> {
    if points.len() < 2 || samples < 2 {
        return points.to_vec();
    }
    let last = points.len() - 1;
    let at = |index: isize| -> Vec3 {
        // Beyond the ends the curve is continued straight.
        if index < 0 {
            2.0 * points[0] - points[1]
        } else if index as usize > last {
            2.0 * points[last] - points[last - 1]
        } else {
            points[index as usize]
        }
    };
    (0..samples)
        .map(|sample| {
            let t = sample as f32 / (samples - 1) as f32 * last as f32;
            let piece = (t as usize).min(last - 1) as isize;
            let t = t - piece as f32;
            let (a, b, c, d) = (at(piece - 1), at(piece), at(piece + 1), at(piece + 2));
            0.5 * (2.0 * b
                + (c - a) * t
                + (2.0 * a - 5.0 * b + 4.0 * c - d) * t * t
                + (3.0 * b - a - 3.0 * c + d) * t * t * t)
        })
        .collect()
}

/// `samples` points of an elliptic arc: `center + x_axis · cos + y_axis · sin`, from angle `from` to `to` (radians).
pub fn arc(center: Vec3, x_axis: Vec3, y_axis: Vec3, from: f32, to: f32, samples: usize) -> Vec<Vec3> {
    (0..samples)
        .map(|sample| {
            let (sin, cos) = (from + (to - from) * sample as f32 / (samples.max(2) - 1) as f32).sin_cos();
            center + x_axis * cos + y_axis * sin
        })
        .collect()
}

/// A straight round rod between two points, from one radius to another, flat ends.
pub fn rod(from: Vec3, to: Vec3, from_radius: f32, to_radius: f32, sides: usize) -> MeshBuffers {
    tube(&[from, to], |t| Vec2::splat(from_radius + (to_radius - from_radius) * t), sides, Ends::Flat)
}

struct Station {
    center: Vec3,
    tangent: Vec3,
    width_axis: Vec3,
    half: Vec2,
    /// Angle by which normals lean along the tangent.
    lean: f32,
    length: f32,
}

/// A tube with an elliptic section along `path`. `section(t)` gives the half axes in metres at the share t (0 to 1) of the
/// path's length: x across the plane in which the path bends, y within it. For a straight path x lies along +Z, or along
/// +X where the path itself runs along Z. The frame is carried along without twist.
pub fn tube(path: &[Vec3], section: impl Fn(f32) -> Vec2, sides: usize, ends: Ends) -> MeshBuffers {
    let mut mesh = MeshBuffers::default();
    if path.len() < 2 || sides < 3 {
        return mesh;
    }
    let stations = stations(path, section, ends);
    let around = stations.iter().map(|station| 0.5 * (station.half.x + station.half.y)).fold(0.0, f32::max);
    let row = sides as u32 + 1;
    let count = stations.len() as u32;
    for station in &stations {
        let Station { center, tangent, width_axis, half, lean, length } = station;
        let thickness_axis = tangent.cross(*width_axis);
        let is_pole = half.max_element() < 1e-6;
        for column in 0..=sides {
            let (sin, cos) = ((column % sides) as f32 / sides as f32 * TAU).sin_cos();
            let offset = *width_axis * (half.x * cos) + thickness_axis * (half.y * sin);
            let radial = if is_pole {
                *width_axis * cos + thickness_axis * sin
            } else {
                // The gradient of the ellipse, scaled by both axes to stay finite.
                (*width_axis * (half.y * cos) + thickness_axis * (half.x * sin)).normalize_or_zero()
            };
            let normal = (radial * lean.cos() + *tangent * lean.sin()).normalize_or(*tangent);
            mesh.push(*center + offset, normal, Vec2::new(column as f32 / sides as f32 * TAU * around, *length));
        }
    }
    for ring in 0..count - 1 {
        let (below, above) = (ring * row, (ring + 1) * row);
        let [from_pole, to_pole] = [ring, ring + 1].map(|index| stations[index as usize].half.max_element() < 1e-6);
        for column in 0..sides as u32 {
            if !from_pole {
                mesh.indices.extend([below + column, below + column + 1, above + column + 1]);
            }
            if !to_pole {
                mesh.indices.extend([below + column, above + column + 1, above + column]);
            }
        }
    }
    if ends == Ends::Flat {
        for (ring, outward) in [(0, -1.0), (count - 1, 1.0)] {
            let station = &stations[ring as usize];
            let normal = station.tangent * outward;
            let middle = mesh.push(station.center, normal, Vec2::ZERO);
            let rim: Vec<u32> = (0..=sides as u32)
                .map(|column| {
                    let position = mesh.positions[(ring * row + column) as usize];
                    let offset = position - station.center;
                    let uv = Vec2::new(
                        offset.dot(station.width_axis),
                        offset.dot(station.tangent.cross(station.width_axis)),
                    );
                    mesh.push(position, normal, uv)
                })
                .collect();
            for pair in rim.windows(2) {
                let (a, b) = if outward > 0.0 { (pair[0], pair[1]) } else { (pair[1], pair[0]) };
                mesh.indices.extend([middle, a, b]);
            }
        }
    }
    mesh
}

fn stations(path: &[Vec3], section: impl Fn(f32) -> Vec2, ends: Ends) -> Vec<Station> {
    let count = path.len();
    let joined = ends == Ends::Joined;
    let at = |index: isize| -> Vec3 {
        let last = count as isize - 1;
        path[if joined { index.rem_euclid(count as isize) } else { index.clamp(0, last) } as usize]
    };
    let total_stations = if joined { count + 1 } else { count };
    let mut lengths = vec![0.0_f32; total_stations];
    for index in 1..total_stations {
        lengths[index] = lengths[index - 1] + at(index as isize).distance(at(index as isize - 1));
    }
    let total = lengths[total_stations - 1].max(1e-9);
    let tangents: Vec<Vec3> = (0..total_stations as isize)
        .map(|index| {
            let before = (at(index) - at(index - 1)).normalize_or_zero();
            let after = (at(index + 1) - at(index)).normalize_or_zero();
            (before + after).normalize_or(Vec3::Y)
        })
        .collect();

    // The plane in which the path bends, if it bends.
    let bend: Vec3 = (1..count as isize - 1).map(|k| (at(k) - at(k - 1)).cross(at(k + 1) - at(k))).sum();
    let fallback = if tangents[0].z.abs() > 0.9 { Vec3::X } else { Vec3::Z };
    let hint = if bend.length() > 1e-4 * total * total / count as f32 { bend.normalize() } else { fallback };
    let mut width_axes = Vec::with_capacity(total_stations);
    let mut axis = (hint - tangents[0] * hint.dot(tangents[0])).normalize_or(tangents[0].any_orthonormal_vector());
    for tangent in &tangents {
        axis = (axis - *tangent * axis.dot(*tangent)).normalize_or(tangent.any_orthonormal_vector());
        width_axes.push(axis);
    }
    if joined {
        // Coming home, the carried frame may be turned against the first one: spread that turn over the path.
        let (first, last) = (width_axes[0], width_axes[total_stations - 1]);
        let turn = last.cross(first).dot(tangents[0]).atan2(last.dot(first));
        for index in 0..total_stations {
            let share = turn * lengths[index] / total;
            width_axes[index] = Quat::from_axis_angle(tangents[index], share) * width_axes[index];
        }
    }

    let half_at = |index: usize| section((lengths[index] / total).clamp(0.0, 1.0)).max(Vec2::splat(1e-5));
    let mut stations: Vec<Station> = (0..total_stations)
        .map(|index| {
            let (before, after) = (index.saturating_sub(1), (index + 1).min(total_stations - 1));
            let growth = 0.5 * (half_at(after) - half_at(before)).element_sum();
            let run = (lengths[after] - lengths[before]).max(1e-6);
            Station {
                center: at(index as isize),
                tangent: tangents[index],
                width_axis: width_axes[index],
                half: half_at(if joined && index == count { 0 } else { index }),
                lean: -(growth / run).atan(),
                length: lengths[index],
            }
        })
        .collect();
    if ends == Ends::Round {
        const STEPS: usize = 3;
        let dome = |end: &Station, outward: f32| -> Vec<Station> {
            let reach = end.half.min_element();
            (1..=STEPS)
                .map(|step| {
                    let angle = step as f32 / STEPS as f32 * FRAC_PI_2;
                    Station {
                        center: end.center + end.tangent * (outward * reach * angle.sin()),
                        half: if step == STEPS { Vec2::ZERO } else { end.half * angle.cos() },
                        lean: outward * angle,
                        length: end.length + outward * reach * angle,
                        ..*end
                    }
                })
                .collect()
        };
        let mut start = dome(&stations[0], -1.0);
        let finish = dome(&stations[total_stations - 1], 1.0);
        start.reverse();
        start.append(&mut stations);
        start.extend(finish);
        stations = start;
    }
    stations
}

#[cfg(test)]
mod tests {
    use std::f32::consts::PI;

    use super::*;

    #[test]
    fn a_straight_tube_is_a_cylinder() {
        let mesh = rod(Vec3::ZERO, Vec3::new(0.1, 0.2, 0.2), 0.02, 0.02, 128);
        assert!(mesh.is_watertight());
        assert!((mesh.signed_volume() / (PI * 0.0004 * 0.3) - 1.0).abs() < 1e-3);
    }

    #[test]
    fn round_ends_and_rings_are_closed() {
        let bow = arc(Vec3::ZERO, Vec3::X, Vec3::Y, 0.0, PI, 12);
        assert!(tube(&bow, |_| Vec2::new(0.1, 0.05), 10, Ends::Round).is_watertight());
        let mut loop_ = arc(Vec3::ZERO, Vec3::X, Vec3::Z + 0.2 * Vec3::Y, 0.0, TAU, 33);
        loop_.pop();
        let ring = tube(&loop_, |_| Vec2::splat(0.1), 12, Ends::Joined);
        assert!(ring.is_watertight());
        assert!(ring.signed_volume() > 0.0);
        assert!(!tube(&bow, |_| Vec2::splat(0.1), 10, Ends::Open).is_watertight());
    }

    #[test]
    fn a_curve_passes_through_its_points() {
        let points = [Vec3::ZERO, Vec3::X, Vec3::new(1.0, 1.0, 0.0), Vec3::new(2.0, 1.0, 1.0)];
        let line = curve(&points, 10);
        for (index, point) in points.iter().enumerate() {
            assert!(line[index * 3].distance(*point) < 1e-5);
        }
    }
}
