//! The sky: how bright it is in every direction, with sun, clouds and the land below the horizon.
//!
//! In: [`SkySpec`]. Out: radiances in candela per square metre (linear RGB, D65 white) by world direction. Pure; cube maps
//! are made of it by `environment`, entities by `light`.
//!
//! Source of the clear sky: Preetham, Shirley, Smits, "A practical analytic model for daylight", SIGGRAPH 1999.

use bevy::math::{Vec2, Vec3};

use super::patterns::Noise;
use crate::{base::Seed, scene::SkySpec};

/// The part of sunlight that the land sends back, linear RGB: meadows and stone.
const LAND_ALBEDO: Vec3 = Vec3::new(0.11, 0.14, 0.06);
/// Sun heights below this are drawn as this with less light: the model's colours go astray at the horizon.
const LOWEST_MODELLED_SUN: f32 = 0.06;

/// A sky, ready to be evaluated.
#[derive(Clone, Debug)]
pub struct Sky {
    /// Towards the sun, unit length.
    pub to_sun: Vec3,
    /// Lux on a surface that faces the sun, linear RGB.
    pub sun_illuminance: Vec3,
    perez: [[f32; 5]; 3],
    /// Zenith values (Y in cd/m², x, y) over the Perez function there.
    scale: [f32; 3],
    theta_sun: f32,
    /// Scales the whole sky.
    intensity: f32,
    clouds: Noise,
    /// Mean radiance of the land.
    land: Vec3,
}

impl Sky {
    pub fn new(spec: &SkySpec, seed: Seed) -> Self {
        let to_sun = sun_direction(spec.sun_elevation, spec.sun_azimuth);
        let modelled = spec.sun_elevation.max(LOWEST_MODELLED_SUN);
        let theta_sun = std::f32::consts::FRAC_PI_2 - modelled;
        let t = spec.turbidity;
        let perez = [
            [
                0.1787 * t - 1.4630,
                -0.3554 * t + 0.4275,
                -0.0227 * t + 5.3251,
                0.1206 * t - 2.5771,
                -0.0670 * t + 0.3703,
            ],
            [
                -0.0193 * t - 0.2592,
                -0.0665 * t + 0.0008,
                -0.0004 * t + 0.2125,
                -0.0641 * t - 0.8989,
                -0.0033 * t + 0.0452,
            ],
            [
                -0.0167 * t - 0.2608,
                -0.0950 * t + 0.0092,
                -0.0079 * t + 0.2102,
                -0.0441 * t - 1.6537,
                -0.0109 * t + 0.0529,
            ],
        ];
        let zenith = zenith(t, theta_sun);
        let scale = [0, 1, 2].map(|i| zenith[i] / perez_function(&perez[i], 0.0, theta_sun));
        // Below the modelled sun the light fades out over half a radian.
        let dusk = (1.0 - (modelled - spec.sun_elevation) / 0.5).clamp(0.0, 1.0).powi(2);
        let mut sky = Self {
            to_sun,
            sun_illuminance: sunlight_color(spec.sun_elevation, t)
                * spec.sun_illuminance
                * (spec.sun_elevation * 20.0).clamp(0.0, 1.0),
            perez,
            scale,
            theta_sun,
            intensity: spec.sky_intensity * dusk,
            clouds: Noise::new(seed.derive("clouds").0 as u32),
            land: Vec3::ZERO,
        };
        sky.land =
            LAND_ALBEDO / std::f32::consts::PI * (sky.sky_illuminance() + sky.sun_illuminance * to_sun.y.max(0.0));
        sky
    }

    /// Illuminance of level ground by the clear sky without the sun, lux, linear RGB.
    pub fn sky_illuminance(&self) -> Vec3 {
        const RINGS: usize = 12;
        const SECTORS: usize = 24;
        let mut sum = Vec3::ZERO;
        for ring in 0..RINGS {
            // Rings of equal projected solid angle: the mean radiance times π is the illuminance.
            let sin_theta = ((ring as f32 + 0.5) / RINGS as f32).sqrt();
            let y = (1.0 - sin_theta * sin_theta).sqrt();
            for sector in 0..SECTORS {
                let (sin, cos) = (std::f32::consts::TAU * (sector as f32 + 0.5) / SECTORS as f32).sin_cos();
                sum += self.clear(Vec3::new(sin_theta * cos, y, sin_theta * sin));
            }
        }
        sum * std::f32::consts::PI / (RINGS * SECTORS) as f32
    }

    /// Radiance of the cloudless sky; `direction` has unit length and points upwards.
    fn clear(&self, direction: Vec3) -> Vec3 {
        let cos_theta = direction.y.max(0.02);
        let gamma = direction.dot(self.modelled_sun()).clamp(-1.0, 1.0).acos();
        let [luminance, x, y] = [0, 1, 2].map(|i| self.scale[i] * perez_function_at(&self.perez[i], cos_theta, gamma));
        linear_rgb(luminance.max(0.0) * self.intensity, x, y)
    }

    fn modelled_sun(&self) -> Vec3 {
        let flat = Vec2::new(self.to_sun.x, self.to_sun.z).normalize_or(Vec2::X);
        let (sin, cos) = self.theta_sun.sin_cos();
        Vec3::new(flat.x * sin, cos, flat.y * sin)
    }

    /// Radiance from `direction` (unit length): sky with clouds above the horizon, land below, no sun disc.
    pub fn radiance(&self, direction: Vec3) -> Vec3 {
        if let Some(hills) = self.hills(direction) {
            return hills;
        }
        if direction.y <= 0.0 {
            return self.land;
        }
        let clear = self.clear(direction);
        let (cover, light) = self.cloud(direction);
        clear.lerp(light, cover)
    }

    /// Radiance of the hills and woods on the horizon, if `direction` meets them: the further, the paler.
    fn hills(&self, direction: Vec3) -> Option<Vec3> {
        if direction.y > 0.13 || direction.y < -0.04 {
            return None;
        }
        let around = direction.x.atan2(direction.z) / std::f32::consts::TAU + 0.5;
        let horizon = self.clear(Vec3::new(direction.x, 0.0, direction.z).normalize_or(Vec3::X));
        // Nearest first: waves around the horizon, height, swing, treetops, share of haze.
        let ranges = [(9, 0.014, 0.016, 0.007, 0.18), (7, 0.034, 0.026, 0.003, 0.42), (5, 0.060, 0.040, 0.001, 0.68)];
        ranges.into_iter().enumerate().find_map(|(index, (waves, height, swing, treetops, haze))| {
            let noise = self.clouds.other(index as u32 + 10);
            let wave = |count: i32, octaves| {
                let p = Vec2::new(around * count as f32, 0.5);
                noise.octaves(p, bevy::math::IVec2::new(count, 4), octaves)
            };
            let top = height + swing * wave(waves, 4) + treetops * wave(waves * 40, 3);
            (direction.y < top).then(|| {
                // Light and shade of woods and fields, by place on the slope.
                let p = Vec2::new(around * 220.0, direction.y * 140.0);
                let patches = noise.octaves(p, bevy::math::IVec2::new(220, 1 << 16), 3);
                let slope = 0.75 + 0.35 * patches + 4.0 * (direction.y - 0.5 * top).max(-0.05);
                (self.land * Vec3::new(0.55, 0.62, 0.5) * slope.max(0.2)).lerp(horizon * 0.62, haze)
            })
        })
    }

    /// As [`Sky::radiance`], with the sun's disc and its glow: for the picture behind everything, not for lighting.
    pub fn radiance_with_sun(&self, direction: Vec3) -> Vec3 {
        let angle = direction.dot(self.to_sun).clamp(-1.0, 1.0).acos();
        // The disc is drawn at 1/50 of its luminance and with a soft edge, so that it fits into half floats.
        let disc = 1.0 - ((angle - 0.006) / 0.006).clamp(0.0, 1.0);
        let glow = 0.012 * (-angle * 14.0).exp();
        let sun = self.sun_illuminance / 6.8e-5 * 0.02;
        let above = (direction.y * 40.0 + 0.5).clamp(0.0, 1.0);
        (self.radiance(direction) + sun * (disc * 0.05 + glow * 0.02) * above).min(Vec3::splat(60_000.0))
    }

    /// Cover (0 to 1) and radiance of fair-weather clouds at 1 unit above flat land.
    fn cloud(&self, direction: Vec3) -> (f32, Vec3) {
        let up = direction.y.max(0.03);
        let p = Vec2::new(direction.x, direction.z) / (up + 0.12) * 1.15;
        let whole = bevy::math::IVec2::splat(1 << 20);
        let warp = Vec2::new(self.clouds.octaves(p + 40.0, whole, 3), self.clouds.octaves(p + 90.0, whole, 3));
        let body = self.clouds.octaves(p + 0.35 * warp + 500.0, whole, 5);
        let cover = smooth(0.06, 0.42, body);
        // Towards the horizon clouds sink into the haze.
        let fade = smooth(0.0, 0.18, direction.y);
        let thick = smooth(0.2, 0.8, body);
        let lit = (self.sun_illuminance * 0.55 + self.sky_illuminance_estimate()) / std::f32::consts::PI;
        (cover * fade * 0.85, lit * (0.95 - 0.4 * thick))
    }

    /// A quick measure of the sky's light for clouds: three times the zenith's radiance.
    fn sky_illuminance_estimate(&self) -> Vec3 {
        self.clear(Vec3::Y) * 3.0
    }
}

/// Unit vector towards a sun at `elevation` above the horizon; azimuth 0 is −Z, positive turns left as headings do.
pub fn sun_direction(elevation: f32, azimuth: f32) -> Vec3 {
    let (sin_e, cos_e) = elevation.sin_cos();
    let (sin_a, cos_a) = azimuth.sin_cos();
    Vec3::new(-sin_a * cos_e, sin_e, -cos_a * cos_e)
}

/// Zenith luminance (cd/m²) and chromaticity. Source: Preetham et al. 1999, appendix A.2.
fn zenith(t: f32, theta_sun: f32) -> [f32; 3] {
    let chi = (4.0 / 9.0 - t / 120.0) * (std::f32::consts::PI - 2.0 * theta_sun);
    let luminance = (4.0453 * t - 4.9710) * chi.tan() - 0.2155 * t + 2.4192;
    let (t2, t3) = (theta_sun * theta_sun, theta_sun * theta_sun * theta_sun);
    let row = |c: [f32; 4]| c[0] * t3 + c[1] * t2 + c[2] * theta_sun + c[3];
    let x = t * t * row([0.00166, -0.00375, 0.00209, 0.0])
        + t * row([-0.02903, 0.06377, -0.03202, 0.00394])
        + row([0.11693, -0.21196, 0.06052, 0.25886]);
    let y = t * t * row([0.00275, -0.00610, 0.00317, 0.0])
        + t * row([-0.04214, 0.08970, -0.04153, 0.00516])
        + row([0.15346, -0.26756, 0.06670, 0.26688]);
    [luminance.max(0.05) * 1000.0, x, y]
}

/// Relative brightness at an angle `theta` from the zenith in the sun's plane; the sun stands at `theta_sun`.
fn perez_function(coefficients: &[f32; 5], theta: f32, theta_sun: f32) -> f32 {
    perez_function_at(coefficients, theta.cos(), (theta_sun - theta).abs())
}

/// Source: Perez, Seals, Michalsky, "All-weather model for sky luminance distribution", Solar Energy 50, 1993.
fn perez_function_at([a, b, c, d, e]: &[f32; 5], cos_theta: f32, gamma: f32) -> f32 {
    (1.0 + a * (b / cos_theta).exp()) * (1.0 + c * (d * gamma).exp() + e * gamma.cos().powi(2))
}

/// CIE xyY to linear RGB. Source: IEC 61966-2-1 (sRGB primaries, D65).
fn linear_rgb(luminance: f32, x: f32, y: f32) -> Vec3 {
    let big_x = x / y * luminance;
    let big_z = (1.0 - x - y) / y * luminance;
    Vec3::new(
        3.2406 * big_x - 1.5372 * luminance - 0.4986 * big_z,
        -0.9689 * big_x + 1.8758 * luminance + 0.0415 * big_z,
        0.0557 * big_x - 0.2040 * luminance + 1.0570 * big_z,
    )
    .max(Vec3::ZERO)
}

/// Colour of direct sunlight (green about 1): what scattering takes out of the beam. Optical depths per air mass for red,
/// green and blue: Rayleigh 0.05, 0.10, 0.22, and aerosol by turbidity. Air mass: Kasten, Young, Applied Optics 28, 1989.
fn sunlight_color(elevation: f32, turbidity: f32) -> Vec3 {
    let degrees = elevation.max(0.0).to_degrees();
    let air_mass = 1.0 / (elevation.max(0.0).sin() + 0.505_72 * (degrees + 6.079_95).powf(-1.6364));
    let haze = 0.04 * (turbidity - 1.0).max(0.0);
    let depth = Vec3::new(0.05 + 0.8 * haze, 0.10 + haze, 0.22 + 1.3 * haze);
    let light = (-depth * air_mass.min(12.0)).exp();
    light / light.y.max(1e-6)
}

fn smooth(low: f32, high: f32, x: f32) -> f32 {
    let t = ((x - low) / (high - low)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sky(elevation: f32) -> Sky {
        Sky::new(
            &SkySpec {
                sun_elevation: elevation,
                sun_azimuth: 0.6,
                turbidity: 3.0,
                sun_illuminance: 80_000.0,
                sky_intensity: 1.0,
            },
            Seed(1),
        )
    }

    #[test]
    fn a_clear_noon_sky_is_blue_and_gives_ten_to_forty_kilolux() {
        let sky = sky(0.9);
        let light = sky.sky_illuminance();
        // Measured clear skies at 50° sun give about 13 to 25 klx; the model is known to be on the bright side.
        assert!((10_000.0..40_000.0).contains(&light.y), "{light}");
        let zenith = sky.clear(Vec3::Y);
        assert!(zenith.z > 1.3 * zenith.x, "{zenith}");
    }

    #[test]
    fn the_sky_is_brightest_near_the_sun_and_finite_everywhere() {
        for elevation in [-0.2, 0.0, 0.1, 0.8, 1.5] {
            let sky = sky(elevation);
            for step in 0..500 {
                let y = 1.0 - 2.0 * (step as f32 + 0.5) / 500.0;
                let (sin, cos) = (step as f32 * 2.399_963).sin_cos();
                let r = (1.0 - y * y).sqrt();
                let radiance = sky.radiance_with_sun(Vec3::new(r * cos, y, r * sin));
                assert!(radiance.is_finite() && radiance.min_element() >= 0.0, "{elevation}: {radiance}");
            }
        }
        let sky = sky(0.8);
        let opposite = Vec3::new(-sky.to_sun.x, sky.to_sun.y, -sky.to_sun.z);
        assert!(sky.clear(sky.to_sun).y > sky.clear(opposite).y);
    }

    #[test]
    fn low_suns_are_redder() {
        let ratio = |elevation| {
            let color = sunlight_color(elevation, 3.0);
            color.x / color.z
        };
        assert!(ratio(0.1) > ratio(0.5) && ratio(0.5) > ratio(1.4));
    }

    #[test]
    fn the_sun_rises_where_headings_point() {
        assert!(sun_direction(0.0, 0.0).abs_diff_eq(-Vec3::Z, 1e-6));
        assert!(sun_direction(0.0, std::f32::consts::FRAC_PI_2).abs_diff_eq(-Vec3::X, 1e-6));
    }
}
