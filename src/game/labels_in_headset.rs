//! Names that float over points of the world, for whoever wears a headset.
//!
//! In: [`FloatingLabels`], the tracked head. Out: for each name a plane before the thing that it names, as large for the eye at
//! every distance as the words of panels are, fading as in the window. All of them show parts of one picture, into which the
//! interface draws the words. What is absent: names in the window (`floating_labels`).

use bevy::{
    asset::RenderAssetUsages,
    camera::{ImageRenderTarget, RenderTarget},
    prelude::*,
};

use super::{
    GameState,
    floating_labels::{FloatingLabel, FloatingLabels, LINE_HEIGHT, opacity, separate, width, words},
    theme,
};
use crate::platform::{
    beside_the_world, interface_camera, interface_material, interface_picture,
    panels::{PIXEL_TANGENT, facing},
    settings::Settings,
    tracked_rig::{PlaySpace, is_worn},
    tracking::Tracking,
};

/// More names at once are a muddle.
const SLOTS: usize = 24;
const COLUMNS: usize = 2;
/// Room for one name, interface pixels.
const SLOT: Vec2 = Vec2::new(300.0, LINE_HEIGHT);
/// Pixels of the picture for one of the interface, as on panels.
const PICTURE_PIXELS: f32 = 1.6;
/// Before the thing that it names: of the way to it.
const BEFORE: f32 = 0.8;
/// Not nearer than eyes can follow, metres.
const NEAREST: f32 = 0.4;

pub(super) fn plugin(app: &mut App) {
    app.add_systems(Update, make_sheet.run_if(is_worn).run_if(not(resource_exists::<Sheet>))).add_systems(
        PostUpdate,
        draw.before(bevy::ui::UiSystems::Prepare).before(TransformSystems::Propagate).run_if(resource_exists::<Sheet>),
    );
}

/// The picture of all names, and the camera that draws it.
#[derive(Resource)]
struct Sheet {
    camera: Entity,
}

/// Where one name is drawn.
#[derive(Component)]
struct Slot(usize);

/// Where it is seen.
#[derive(Component)]
struct Plane(usize);

/// The upper left corner of a slot, interface pixels.
fn corner(slot: usize) -> Vec2 {
    SLOT * Vec2::new((slot % COLUMNS) as f32, (slot / COLUMNS) as f32)
}

fn sheet() -> Vec2 {
    SLOT * Vec2::new(COLUMNS as f32, SLOTS.div_ceil(COLUMNS) as f32)
}

/// A plane of side 1 that shows a slot of the picture.
fn plane(slot: usize) -> Mesh {
    let (low, high) = (corner(slot) / sheet(), (corner(slot) + SLOT) / sheet());
    Mesh::new(bevy::mesh::PrimitiveTopology::TriangleList, RenderAssetUsages::default())
        .with_inserted_attribute(
            Mesh::ATTRIBUTE_POSITION,
            vec![[-0.5, 0.5, 0.0], [0.5, 0.5, 0.0], [0.5, -0.5, 0.0], [-0.5, -0.5, 0.0]],
        )
        .with_inserted_attribute(Mesh::ATTRIBUTE_NORMAL, vec![[0.0, 0.0, 1.0]; 4])
        .with_inserted_attribute(
            Mesh::ATTRIBUTE_UV_0,
            vec![[low.x, low.y], [high.x, low.y], [high.x, high.y], [low.x, high.y]],
        )
        .with_inserted_indices(bevy::mesh::Indices::U32(vec![0, 3, 1, 1, 3, 2]))
}

fn target(picture: Handle<Image>, scale: &UiScale) -> RenderTarget {
    RenderTarget::Image(ImageRenderTarget { handle: picture, scale_factor: PICTURE_PIXELS / scale.0.max(1e-3) })
}

fn make_sheet(
    mut commands: Commands,
    scale: Res<UiScale>,
    mut images: ResMut<Assets<Image>>,
    mut meshes: ResMut<Assets<Mesh>>,
    mut materials: ResMut<Assets<StandardMaterial>>,
) {
    let picture = images.add(interface_picture((sheet() * PICTURE_PIXELS).as_uvec2()));
    let camera = commands
        .spawn((Name::new("camera of the labels"), interface_camera(-45, target(picture.clone(), &scale))))
        .id();
    let material = materials.add(interface_material(picture));
    for slot in 0..SLOTS {
        let at = corner(slot);
        commands.spawn((
            Slot(slot),
            Name::new("label in the headset"),
            UiTargetCamera(camera),
            Node {
                position_type: PositionType::Absolute,
                left: px(at.x),
                top: px(at.y),
                width: px(SLOT.x),
                height: px(SLOT.y),
                justify_content: JustifyContent::Center,
                align_items: AlignItems::Center,
                overflow: Overflow::clip(),
                ..default()
            },
            children![(
                Node { padding: UiRect::axes(px(8), px(2)), border_radius: BorderRadius::all(px(6)), ..default() },
                BackgroundColor(Color::NONE),
                children![theme::text("", 14.0, theme::TEXT)],
            )],
        ));
        commands.spawn((
            Plane(slot),
            Mesh3d(meshes.add(plane(slot))),
            MeshMaterial3d(material.clone()),
            Transform::default(),
            Visibility::Hidden,
            beside_the_world(),
        ));
    }
    commands.insert_resource(Sheet { camera });
}

/// A name and where it is seen.
#[derive(Clone, Debug, PartialEq)]
struct Seen {
    words: String,
    opacity: f32,
    /// In the world; +Z towards the eyes.
    place: Isometry3d,
    /// From the eyes, metres.
    distance: f32,
}

/// Names for eyes at this place, nearest first, none over another.
fn seen_from(eyes: Vec3, labels: &[FloatingLabel]) -> Vec<Seen> {
    let mut near: Vec<(f32, &FloatingLabel)> = labels
        .iter()
        .map(|label| (eyes.distance(label.position), label))
        .filter(|(distance, label)| *distance > 1e-3 && opacity(label, *distance) > 0.03)
        .collect();
    near.sort_by(|a, b| a.0.total_cmp(&b.0));
    near.truncate(SLOTS);
    // On a sheet rolled round the head, interface pixels.
    let mut centers: Vec<(Vec2, f32)> = near
        .iter()
        .map(|(distance, label)| {
            let to = (label.position - eyes) / *distance;
            let (yaw, elevation) = ((-to.x).atan2(-to.z), to.y.clamp(-1.0, 1.0).asin());
            (Vec2::new(-yaw, -elevation) / PIXEL_TANGENT - Vec2::Y * 14.0, width(&words(label)).min(SLOT.x))
        })
        .collect();
    separate(&mut centers);
    near.into_iter()
        .zip(centers)
        .map(|((distance, label), (center, _))| {
            let angles = -center * PIXEL_TANGENT;
            let before = (BEFORE * distance).max(NEAREST);
            Seen {
                words: words(label),
                opacity: opacity(label, distance),
                place: facing(eyes, angles.x, angles.y, before),
                distance: before,
            }
        })
        .collect()
}

fn draw(
    (labels, settings, state, scale): (Res<FloatingLabels>, Res<Settings>, Res<State<GameState>>, Res<UiScale>),
    (tracking, space, time): (Res<Tracking>, Res<PlaySpace>, Res<Time<Fixed>>),
    sheet: Res<Sheet>,
    mut cameras: Query<(&mut Camera, &mut RenderTarget, &mut Projection)>,
    slots: Query<(&Slot, &Children)>,
    mut pills: Query<(&mut BackgroundColor, &Children), Without<Slot>>,
    mut texts: Query<(&mut Text, &mut TextColor)>,
    mut planes: Query<(&Plane, &mut Transform, &mut Visibility)>,
) {
    let head = tracking.head.filter(|_| tracking.worn && settings.labels && *state.get() == GameState::Playing);
    let seen = head
        .map_or(Vec::new(), |head| seen_from(space.between(time.overstep_fraction()) * head.position, &labels.items));
    if let Ok((mut camera, mut drawn_on, mut projection)) = cameras.get_mut(sheet.camera) {
        if camera.is_active == seen.is_empty() {
            camera.is_active = !seen.is_empty();
        }
        if scale.is_changed()
            && let Some(picture) = drawn_on.as_image().cloned()
        {
            *drawn_on = target(picture, &scale);
            // Bevy does not look at a target that changed by itself.
            projection.set_changed();
        }
    }
    for (slot, children) in &slots {
        let label = seen.get(slot.0);
        let opacity = label.map_or(0.0, |label| label.opacity);
        let mut inside = pills.iter_many_mut(children);
        while let Some((mut background, children)) = inside.fetch_next() {
            background.0 = theme::INK_CLEAR.with_alpha(theme::INK_CLEAR.alpha() * opacity);
            let mut said = texts.iter_many_mut(children);
            while let Some((mut text, mut color)) = said.fetch_next() {
                if let Some(label) = label {
                    text.set_if_neq(Text(label.words.clone()));
                }
                color.0 = theme::TEXT.with_alpha(opacity);
            }
        }
    }
    for (plane, mut transform, mut visibility) in &mut planes {
        let label = seen.get(plane.0);
        visibility.set_if_neq(if label.is_some() { Visibility::Visible } else { Visibility::Hidden });
        if let Some(label) = label {
            let size = SLOT * PIXEL_TANGENT * label.distance;
            transform.set_if_neq(Transform::from_isometry(label.place).with_scale(size.extend(1.0)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(position: Vec3) -> FloatingLabel {
        FloatingLabel { position, text: "mug".to_owned(), confidence: 0.9, age_seconds: 0.0 }
    }

    #[test]
    fn a_name_stands_before_its_thing_a_little_above_it_and_faces_the_eyes() {
        let eyes = Vec3::new(0.2, 1.6, 0.1);
        for thing in [Vec3::new(0.2, 1.6, -2.0), Vec3::new(-1.0, 0.8, -1.0), Vec3::new(1.5, 1.2, 1.0)] {
            let seen = seen_from(eyes, &[label(thing)]);
            let place = Vec3::from(seen[0].place.translation);
            let (to_place, to_thing) = ((place - eyes).normalize(), (thing - eyes).normalize());
            let apart = to_place.angle_between(to_thing) / PIXEL_TANGENT;
            assert!((apart - 14.0).abs() < 0.5 && to_place.y > to_thing.y, "{apart} pixels from {thing}");
            assert!(place.distance(eyes) < thing.distance(eyes));
            assert!((seen[0].place.rotation * Vec3::Z).dot(-to_place) > 0.9999);
        }
    }

    #[test]
    fn names_of_things_behind_each_other_do_not_cover_each_other() {
        let things = [1.0, 1.2, 1.5, 3.0].map(|far| label(Vec3::new(0.0, 1.6, -far)));
        let seen = seen_from(Vec3::Y * 1.6, &things);
        let heights: Vec<f32> =
            seen.iter().map(|label| (label.place.translation.y - 1.6) / label.distance / PIXEL_TANGENT).collect();
        assert!(heights.windows(2).all(|pair| pair[1] - pair[0] > LINE_HEIGHT - 1.0), "{heights:?}");
    }

    #[test]
    fn slots_lie_side_by_side_on_the_sheet() {
        for slot in 0..SLOTS {
            assert!((corner(slot) + SLOT).cmple(sheet()).all(), "{slot}");
            assert!((0..slot).all(|other| corner(other) != corner(slot)));
        }
    }
}
