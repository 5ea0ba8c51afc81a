//! What the player chooses for the headset's picture while it is worn: its pixels, and how many pictures a second there are.
//!
//! In: the session, [`Settings`]. Out: other images for the eyes; [`OfferedRates`], a request when another rate is chosen. Rates
//! need `XR_FB_display_refresh_rate`: without it nothing is offered and nothing asked.

use bevy::{
    prelude::*,
    render::{renderer::RenderDevice, texture::ManualTextureViews},
};
use openxr::{Session, Vulkan, sys};

use super::{
    headset::OfferedRates,
    settings::Settings,
    xr_frames::EyeImages,
    xr_readback::SubmittedEyes,
    xr_session::{Fault, OpenSession},
};

/// What a session offers, and what it was asked for last.
#[derive(Default)]
pub(super) struct Rates {
    offered: Vec<f32>,
    asked: Option<u32>,
}

/// The offered rate that is chosen by its rounded number.
fn rate_for(offered: &[f32], chosen: u32) -> Option<f32> {
    offered.iter().copied().find(|rate| rate.round() as u32 == chosen)
}

impl Rates {
    /// Looks what a session offers.
    ///
    /// # Errors
    /// - whatever the runtime answers
    pub fn of(session: &Session<Vulkan>) -> openxr::Result<Self> {
        if session.instance().exts().fb_display_refresh_rate.is_none() {
            return Ok(Self::default());
        }
        Ok(Self { offered: session.enumerate_display_refresh_rates()?, asked: None })
    }

    /// For the settings page.
    pub fn offered(&self) -> OfferedRates {
        let mut rates: Vec<u32> = self.offered.iter().map(|rate| rate.round() as u32).collect();
        rates.sort_unstable();
        rates.dedup();
        // One alone is no choice.
        OfferedRates(if rates.len() > 1 { rates } else { Vec::new() })
    }

    /// Asks for the chosen rate, once; no choice is the runtime's own (0, says the extension). What is not offered is not asked for.
    ///
    /// # Errors
    /// - whatever the runtime answers
    pub fn follow(&mut self, session: &Session<Vulkan>, settings: &Settings) -> openxr::Result<()> {
        let chosen = settings.headset.refresh_hz;
        if self.offered.is_empty() || chosen == self.asked {
            return Ok(());
        }
        self.asked = chosen;
        let rate = match chosen {
            None => 0.0,
            Some(chosen) => match rate_for(&self.offered, chosen) {
                Some(rate) => rate,
                None => {
                    warn!("headset: {chosen} pictures a second are not offered");
                    return Ok(());
                }
            },
        };
        session.request_display_refresh_rate(rate)
    }
}

/// Pixels of an eye's image that the runtime recommends and allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct EyeSizes {
    pub recommended: UVec2,
    pub most: UVec2,
}

impl EyeSizes {
    /// So many percent of what is recommended, per side.
    pub fn scaled(&self, percent: u32) -> UVec2 {
        let wanted = (self.recommended.as_vec2() * percent as f32 / 100.0).round().as_uvec2();
        wanted.max(UVec2::splat(16)).min(self.most)
    }
}

/// A size that is being chosen step by step is followed once it has stood for so long, seconds.
const CHOSEN_SECS: f32 = 0.4;

/// Images of another size and another rate, as the player chooses.
pub(super) fn follow_settings(world: &mut World, mut since: Local<Option<(UVec2, f32)>>) {
    let Some(settings) = world.get_resource::<Settings>().cloned() else { return };
    let now = world.resource::<Time<Real>>().elapsed_secs();
    let fault = world.resource::<Fault>().clone();
    let device = world.resource::<RenderDevice>().wgpu_device().clone();
    let observed = world.contains_resource::<SubmittedEyes>();
    let Some(mut open) = world.get_resource_mut::<OpenSession>() else { return };
    let open = &mut *open;
    if open.running
        && let Err(error) = open.rates.follow(&open.session, &settings)
    {
        warn!("headset: the rate stays as it is: {error}");
    }
    let wanted = open.sizes.scaled(settings.headset.render_scale_percent);
    if wanted == open.resolution {
        *since = None;
        return;
    }
    let (size, then) = *since.get_or_insert((wanted, now));
    if size != wanted {
        *since = Some((wanted, now));
    }
    if size != wanted || now - then < CHOSEN_SECS {
        return;
    }
    open.resolution = wanted;
    match EyeImages::new(&open.session, &device, wanted, observed) {
        Ok(images) => {
            images.show_both(&mut world.resource_mut::<ManualTextureViews>());
            world.insert_resource(images);
        }
        Err(error) => match error.downcast::<sys::Result>() {
            Ok(error) => fault.note("xrCreateSwapchain", error),
            Err(error) => warn!("headset: the picture keeps its size: {error}"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_told_rounded_and_asked_for_exactly() {
        let rates = Rates { offered: vec![90.0, 71.99, 120.0, 72.0], asked: None };
        assert_eq!(rates.offered(), OfferedRates(vec![72, 90, 120]));
        assert_eq!(rate_for(&rates.offered, 72), Some(71.99));
        assert_eq!(rate_for(&rates.offered, 80), None);
        assert_eq!(Rates { offered: vec![90.0], asked: None }.offered(), OfferedRates::default());
    }

    #[test]
    fn pictures_are_scaled_within_what_the_runtime_allows() {
        let sizes = EyeSizes { recommended: UVec2::new(1440, 1600), most: UVec2::new(2048, 2048) };
        assert_eq!(sizes.scaled(100), sizes.recommended);
        assert_eq!(sizes.scaled(50), UVec2::new(720, 800));
        assert_eq!(sizes.scaled(150), UVec2::new(2048, 2048));
    }
}
