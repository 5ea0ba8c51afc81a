//! Sounds that come from a place, for whoever wears headphones: each through the responses of a head to the direction it comes
//! from, as the player's head hears it at this moment.
//!
//! In: [`PlacedSound`]s, where the player's head is (the tracked one while a headset is worn, else the window's camera). Out: two
//! channels that Bevy plays as they are; every frame the newest placement goes to the thread that feeds the device, through an
//! atomic, so that neither waits. Loudness falls with the distance as in the open: half of it at twice the distance. What is
//! absent: walls and echoes, what sounds (`sound`, `spoken_answers`), loudspeakers (Bevy's own panning).

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bevy::{
    audio::{AddAudioSource as _, ChannelCount, Decodable, SampleRate, Source},
    prelude::*,
    reflect::TypePath,
};

use crate::{
    platform::{flat::FlatCamera, tracked_rig::PlaySpace, tracking::Tracking},
    signal::{
        binaural::{BLOCK, Binaural, Placement, TAIL},
        head_responses::{HeadResponses, RATE_HZ},
    },
};

/// Plays [`PlacedSound`]s.
pub(super) struct PlacedSoundPlugin;

impl Plugin for PlacedSoundPlugin {
    fn build(&self, app: &mut App) {
        app.add_audio_source::<PlacedClip>()
            .init_resource::<Ears>()
            .add_systems(PostUpdate, (find_ears, place_sounds).chain().after(TransformSystems::Propagate));
    }
}

/// Where the player's head is, world from head.
#[derive(Resource, Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Ears(Isometry3d);

/// Where a sound comes from.
#[derive(Component)]
pub(super) struct PlacedSound {
    /// World space.
    at: Vec3,
    follows: Option<Entity>,
    full_within: f32,
    cell: Arc<AtomicU64>,
}

impl PlacedSound {
    /// It goes where a thing goes, as long as that is there.
    pub fn following(self, thing: Entity) -> Self {
        Self { follows: Some(thing), ..self }
    }
}

/// What an entity needs to sound from a place in the world: one channel at [`RATE_HZ`], as loud as it is made at `full_within`
/// metres and nearer.
pub(super) fn sounding(
    samples: Arc<[f32]>,
    at: Vec3,
    full_within: f32,
    ears: &Ears,
    clips: &mut Assets<PlacedClip>,
) -> (AudioPlayer<PlacedClip>, PlacedSound) {
    let cell = Arc::new(AtomicU64::new(packed(placement(ears.0, at, full_within))));
    let clip = clips.add(PlacedClip { samples, cell: cell.clone() });
    (AudioPlayer(clip), PlacedSound { at, follows: None, full_within, cell })
}

/// As the head hears it.
fn placement(head: Isometry3d, at: Vec3, full_within: f32) -> Placement {
    let there = head.inverse() * at;
    let distance = there.length();
    // Inside the head there is no direction.
    let direction = if distance > 0.02 { there / distance } else { Vec3::NEG_Z };
    Placement { direction, gain: full_within / distance.max(full_within).max(1e-3) }
}

/// A placement in one word, so that both sides see a whole one: an octahedral direction, 16 bits an axis, and the gain.
///
/// Source: Z. Cigolle and others, "A Survey of Efficient Representations for Independent Unit Vectors", JCGT 2014.
fn packed(place: Placement) -> u64 {
    let d = place.direction / place.direction.abs().element_sum().max(1e-9);
    let folded = if d.z >= 0.0 { d.xy() } else { (1.0 - d.yx().abs()) * Vec2::ONE.copysign(d.xy()) };
    let coded = ((folded * 0.5 + 0.5) * 65_535.0).round().as_u16vec2();
    u64::from(coded.x) << 48 | u64::from(coded.y) << 32 | u64::from(place.gain.to_bits())
}

fn unpacked(word: u64) -> Placement {
    let axis = |shift: u32| (word >> shift & 0xffff) as f32 / 65_535.0 * 2.0 - 1.0;
    let folded = Vec2::new(axis(48), axis(32));
    let z = 1.0 - folded.abs().element_sum();
    let xy = if z >= 0.0 { folded } else { (1.0 - folded.yx().abs()) * Vec2::ONE.copysign(folded) };
    Placement { direction: xy.extend(z).normalize(), gain: f32::from_bits(word as u32) }
}

fn find_ears(
    tracking: Option<Res<Tracking>>,
    space: Option<Res<PlaySpace>>,
    fixed: Res<Time<Fixed>>,
    cameras: Query<&GlobalTransform, With<FlatCamera>>,
    mut ears: ResMut<Ears>,
) {
    let worn = tracking.filter(|tracking| tracking.worn).and_then(|tracking| tracking.head);
    let head = match (worn, space) {
        (Some(head), Some(space)) => Some(space.between(fixed.overstep_fraction()) * Isometry3d::from(head)),
        _ => cameras.iter().next().map(GlobalTransform::to_isometry),
    };
    if let Some(head) = head {
        ears.set_if_neq(Ears(head));
    }
}

fn place_sounds(ears: Res<Ears>, mut sounds: Query<&mut PlacedSound>, places: Query<&GlobalTransform>) {
    for mut sound in &mut sounds {
        if let Some(place) = sound.follows.and_then(|thing| places.get(thing).ok()) {
            sound.at = place.translation();
        }
        sound.cell.store(packed(placement(ears.0, sound.at, sound.full_within)), Ordering::Relaxed);
    }
}

/// A sound and where its newest placement is found.
#[derive(Asset, TypePath, Clone)]
pub(super) struct PlacedClip {
    samples: Arc<[f32]>,
    cell: Arc<AtomicU64>,
}

impl Decodable for PlacedClip {
    type Decoder = PlacedDecoder;

    fn decoder(&self) -> PlacedDecoder {
        let binaural = Binaural::new(HeadResponses::kemar(), unpacked(self.cell.load(Ordering::Relaxed)));
        PlacedDecoder { clip: self.clone(), binaural, heard: [[0.0; BLOCK]; 2], next: 0, end: 0 }
    }
}

/// Left, right, left, right, block by block.
pub(super) struct PlacedDecoder {
    clip: PlacedClip,
    binaural: Binaural,
    heard: [[f32; BLOCK]; 2],
    /// Numbers of samples, both channels counted, since the beginning.
    next: usize,
    /// So many are rendered.
    end: usize,
}

impl PlacedDecoder {
    fn len(&self) -> usize {
        2 * (self.clip.samples.len() + TAIL)
    }
}

impl Iterator for PlacedDecoder {
    type Item = f32;

    fn next(&mut self) -> Option<f32> {
        if self.next >= self.len() {
            return None;
        }
        if self.next == self.end {
            let mut block = [0.0; BLOCK];
            let rest = self.clip.samples.get(self.end / 2..).unwrap_or_default();
            for (place, sample) in block.iter_mut().zip(rest) {
                *place = *sample;
            }
            self.heard = self.binaural.render(&block, unpacked(self.clip.cell.load(Ordering::Relaxed)));
            self.end += 2 * BLOCK;
        }
        let sample = self.heard[self.next % 2][self.next / 2 % BLOCK];
        self.next += 1;
        Some(sample)
    }
}

impl Source for PlacedDecoder {
    fn current_span_len(&self) -> Option<usize> {
        None
    }

    fn channels(&self) -> ChannelCount {
        const STEREO: ChannelCount = ChannelCount::new(2).expect("two is not zero");
        STEREO
    }

    fn sample_rate(&self) -> SampleRate {
        const RATE: SampleRate = SampleRate::new(RATE_HZ).expect("the rate is not zero");
        RATE
    }

    fn total_duration(&self) -> Option<Duration> {
        Some(Duration::from_secs_f64(self.len() as f64 / f64::from(2 * RATE_HZ)))
    }
}

#[cfg(test)]
mod tests {
    use std::f32::consts::FRAC_PI_2;

    use super::*;
    use crate::platform::tracking::Pose;

    #[test]
    fn a_placement_survives_its_word() {
        for n in 0..2_000 {
            let angle = n as f32 * 2.399_963;
            let y = 1.0 - 2.0 * (n as f32 + 0.5) / 2_000.0;
            let direction = Vec3::new(angle.cos() * (1.0 - y * y).sqrt(), y, angle.sin() * (1.0 - y * y).sqrt());
            let back = unpacked(packed(Placement { direction, gain: y.abs() }));
            assert!(back.direction.distance(direction) < 1e-4, "{direction} became {}", back.direction);
            assert_eq!(back.gain, y.abs());
        }
        for axis in [Vec3::X, Vec3::NEG_X, Vec3::Y, Vec3::NEG_Y, Vec3::Z, Vec3::NEG_Z, Vec3::ZERO] {
            let back = unpacked(packed(Placement { direction: axis, gain: 1.0 }));
            assert!(axis == Vec3::ZERO || back.direction.distance(axis) < 1e-4, "{axis}");
        }
    }

    #[test]
    fn twice_the_distance_is_half_as_loud_and_near_is_not_louder_than_it_is() {
        let gain = |distance: f32| placement(Isometry3d::IDENTITY, Vec3::X * distance, 1.5).gain;
        assert_eq!((gain(0.0), gain(0.7), gain(1.5)), (1.0, 1.0, 1.0));
        assert!((gain(3.0) - 0.5).abs() < 1e-6 && (gain(12.0) - 0.125).abs() < 1e-6);
    }

    /// A world with a sound, and what is heard of it once its place is known.
    fn heard(at: Vec3, head: impl FnOnce(&mut World)) -> (Placement, [f32; 2]) {
        let mut app = App::new();
        app.add_plugins((MinimalPlugins, AssetPlugin::default()))
            .init_asset::<PlacedClip>()
            .init_resource::<Ears>()
            .add_systems(PostUpdate, (find_ears, place_sounds).chain());
        head(app.world_mut());
        let mut click = vec![0.0; 400];
        click[0] = 1.0;
        let world = app.world_mut();
        let ears = *world.resource::<Ears>();
        let mut clips = world.resource_mut::<Assets<PlacedClip>>();
        let (player, sound) = sounding(click.into(), at, 1.0, &ears, &mut clips);
        let handle = player.0.clone();
        world.spawn((player, sound));
        app.update();
        let clip = app.world().resource::<Assets<PlacedClip>>().get(&handle).unwrap().clone();
        let samples: Vec<f32> = clip.decoder().collect();
        assert_eq!(samples.len(), 2 * (400 + TAIL));
        let power = |ear: usize| samples.iter().skip(ear).step_by(2).map(|sample| sample * sample).sum::<f32>();
        (unpacked(clip.cell.load(Ordering::Relaxed)), [power(0), power(1)])
    }

    fn camera_turned(yaw: f32) -> impl FnOnce(&mut World) {
        move |world| {
            let pose = Transform::from_xyz(1.0, 1.6, 2.0).with_rotation(Quat::from_rotation_y(yaw));
            world.spawn((FlatCamera, GlobalTransform::from(pose)));
        }
    }

    #[test]
    fn the_ears_are_where_the_camera_is_and_turn_with_it() {
        let at = Vec3::new(4.0, 1.6, 2.0);
        let (place, [left, right]) = heard(at, camera_turned(0.0));
        assert!(place.direction.distance(Vec3::X) < 1e-3 && (place.gain - 1.0 / 3.0).abs() < 1e-4, "{place:?}");
        assert!(right > 6.0 * left);
        // Looking at it, it is ahead; the back turned to it, behind; turned on, at the other side.
        let (place, [left, right]) = heard(at, camera_turned(-FRAC_PI_2));
        assert!(place.direction.distance(Vec3::NEG_Z) < 1e-3 && (left / right - 1.0).abs() < 0.05);
        assert!(heard(at, camera_turned(FRAC_PI_2)).0.direction.distance(Vec3::Z) < 1e-3);
        let (_, [left, right]) = heard(at, camera_turned(2.0 * FRAC_PI_2));
        assert!(left > 6.0 * right);
    }

    #[test]
    fn a_worn_headset_has_the_ears() {
        let (place, [left, right]) = heard(Vec3::new(-2.0, 1.7, 0.0), |world| {
            camera_turned(0.0)(world);
            let head = Pose { position: Vec3::new(0.0, 1.7, 0.0), rotation: Quat::IDENTITY };
            let mut tracking = Tracking::default();
            (tracking.worn, tracking.head) = (true, Some(head));
            world.insert_resource(tracking);
            world.init_resource::<PlaySpace>();
        });
        assert!(place.direction.distance(Vec3::NEG_X) < 1e-3 && left > 6.0 * right, "{place:?}");
    }

    #[test]
    fn what_moves_takes_its_sound_along_until_it_is_gone() {
        let mut app = App::new();
        app.init_resource::<Ears>().init_resource::<Time<Fixed>>().add_systems(Update, place_sounds);
        let thing = app.world_mut().spawn(GlobalTransform::from_xyz(0.0, 2.0, 0.0)).id();
        let cell = Arc::<AtomicU64>::default();
        let sound = PlacedSound { at: Vec3::X, follows: None, full_within: 1.0, cell: cell.clone() }.following(thing);
        app.world_mut().spawn(sound);
        let above = || unpacked(cell.load(Ordering::Relaxed)).direction.distance(Vec3::Y) < 1e-3;
        app.update();
        assert!(above());
        app.world_mut().despawn(thing);
        app.update();
        assert!(above(), "the last words are heard from where they were said");
    }
}
