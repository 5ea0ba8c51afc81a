//! The player's picture, drawn with fewer pixels than the window has and enlarged: what makes a world playable where the
//! processor draws it.
//!
//! In: [`Settings::resolution_percent`], else [`Quality`]; the window's size. Out: the [`FlatCamera`]'s target: the window
//! itself at 100 %, else an image that a camera of the screen's own shows, filtered linearly. The interface keeps the
//! window's pixels. What is absent: the size of the window, the world's other cameras.

use bevy::{
    camera::RenderTarget,
    core_pipeline::tonemapping::{DebandDither, Tonemapping},
    image::ImageSampler,
    prelude::*,
    render::render_resource::TextureFormat,
    window::PrimaryWindow,
};

use super::{flat::FlatCamera, settings::Settings};
use crate::world::Quality;

/// Keeps the player's picture at its size.
pub struct ScaledViewPlugin;

impl Plugin for ScaledViewPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<DrawnPixels>().add_systems(Update, fit_view);
    }
}

/// How many pixels the player's picture is drawn with; zero until there is one.
#[derive(Resource, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DrawnPixels(pub UVec2);

/// The camera that shows the enlarged picture and the interface.
#[derive(Component)]
struct ScreenCamera;

/// The enlarged picture.
#[derive(Component)]
struct EnlargedPicture;

/// Behind everything else of the interface.
const BEHIND: i32 = -1_000;

/// Size of the picture in a window of so many pixels; at least 16 pixels a side, and never more than the window has.
fn drawn_size(window: UVec2, scale: f32) -> UVec2 {
    let scaled = (window.as_vec2() * scale).round().as_uvec2();
    scaled.max(UVec2::splat(16)).min(window.max(UVec2::ONE))
}

/// Gives the camera the target that settings, quality and window ask for.
fn fit_view(
    settings: Res<Settings>,
    quality: Option<Res<Quality>>,
    windows: Query<&Window, With<PrimaryWindow>>,
    cameras: Query<(Entity, Ref<FlatCamera>), With<Camera>>,
    screens: Query<Entity, Or<(With<ScreenCamera>, With<EnlargedPicture>)>>,
    mut pictures: Query<&mut ImageNode, With<EnlargedPicture>>,
    mut images: ResMut<Assets<Image>>,
    mut drawn: ResMut<DrawnPixels>,
    mut commands: Commands,
) {
    let (Ok((camera, added)), Ok(window)) = (cameras.single(), windows.single()) else { return };
    let by_quality = || quality.map_or(1.0, |quality| quality.settings().resolution_scale);
    let scale = settings.resolution_percent.map_or_else(by_quality, |percent| percent as f32 / 100.0);
    let full = window.physical_size();
    let wanted = drawn_size(full, scale);
    // A minimised window has no pixels to draw for.
    if full.min_element() == 0 || (drawn.0 == wanted && !added.is_added() && (wanted == full) == screens.is_empty()) {
        return;
    }
    drawn.0 = wanted;
    if wanted == full {
        commands.entity(camera).insert(RenderTarget::default());
        for entity in &screens {
            commands.entity(entity).despawn();
        }
        return;
    }
    let mut image = Image::new_target_texture(wanted.x, wanted.y, TextureFormat::Rgba8UnormSrgb, None);
    image.sampler = ImageSampler::linear();
    let image = images.add(image);
    commands.entity(camera).insert(RenderTarget::Image(image.clone().into()));
    if let Ok(mut picture) = pictures.single_mut() {
        picture.image = image;
        return;
    }
    commands.spawn((
        ScreenCamera,
        Name::new("screen camera"),
        Camera2d,
        Msaa::Off,
        Tonemapping::None,
        DebandDither::Disabled,
        // After the world, which draws into the picture.
        Camera { order: 50, clear_color: ClearColorConfig::Custom(Color::BLACK), ..default() },
    ));
    commands.spawn((
        EnlargedPicture,
        Name::new("enlarged picture"),
        GlobalZIndex(BEHIND),
        Node { position_type: PositionType::Absolute, width: percent(100), height: percent(100), ..default() },
        ImageNode { image, image_mode: NodeImageMode::Stretch, ..default() },
    ));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_follow_the_window_and_stay_drawable() {
        assert_eq!(drawn_size(UVec2::new(1280, 720), 0.5), UVec2::new(640, 360));
        assert_eq!(drawn_size(UVec2::new(1281, 721), 1.0), UVec2::new(1281, 721));
        assert_eq!(drawn_size(UVec2::new(20, 20), 0.25), UVec2::splat(16));
        assert_eq!(drawn_size(UVec2::new(8, 8), 0.5), UVec2::splat(8));
    }

    /// A window, a player's camera and what fits it, without a renderer.
    struct Room {
        app: App,
        camera: Entity,
    }

    impl Room {
        fn new(percent: Option<u32>) -> Self {
            let mut app = App::new();
            app.add_plugins((MinimalPlugins, AssetPlugin::default(), ScaledViewPlugin))
                .init_asset::<Image>()
                .insert_resource(Quality::Software)
                .insert_resource(Settings { resolution_percent: percent, ..default() });
            app.world_mut().spawn((Window { resolution: (1280, 720).into(), ..default() }, PrimaryWindow));
            let camera = app.world_mut().spawn((FlatCamera, Camera::default())).id();
            app.update();
            Self { app, camera }
        }

        /// Pixels of the image that the camera draws into; `None` where it draws into the window.
        fn target(&self) -> Option<UVec2> {
            let world = self.app.world();
            let image = world.get::<RenderTarget>(self.camera)?.as_image()?;
            Some(world.resource::<Assets<Image>>().get(image)?.size())
        }

        fn set(&mut self, percent: Option<u32>) {
            self.app.world_mut().resource_mut::<Settings>().resolution_percent = percent;
            self.app.update();
        }

        fn pictures(&mut self) -> usize {
            let world = self.app.world_mut();
            world.query_filtered::<(), With<EnlargedPicture>>().iter(world).count()
        }
    }

    #[test]
    fn without_a_choice_quality_decides() {
        let scale = Quality::Software.settings().resolution_scale;
        let room = Room::new(None);
        assert!(scale < 1.0, "the test means a preset that saves pixels");
        assert_eq!(room.target(), Some(drawn_size(UVec2::new(1280, 720), scale)));
    }

    #[test]
    fn the_choice_counts_at_once_and_all_pixels_need_no_image() {
        let mut room = Room::new(Some(50));
        assert_eq!((room.target(), room.pictures()), (Some(UVec2::new(640, 360)), 1));
        room.set(Some(25));
        assert_eq!((room.target(), room.pictures()), (Some(UVec2::new(320, 180)), 1));
        room.set(Some(100));
        assert_eq!((room.target(), room.pictures()), (None, 0));
        room.set(Some(50));
        assert_eq!((room.target(), room.pictures()), (Some(UVec2::new(640, 360)), 1));
    }

    #[test]
    fn a_window_of_another_size_gets_another_picture() {
        let mut room = Room::new(Some(50));
        let world = room.app.world_mut();
        let mut windows = world.query::<&mut Window>();
        windows.single_mut(world).unwrap().resolution.set_physical_resolution(800, 600);
        room.app.update();
        assert_eq!(room.target(), Some(UVec2::new(400, 300)));
    }
}
