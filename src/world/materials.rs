//! Materials of rooms and objects, made of procedural surfaces and shared by everything that looks alike.
//!
//! In: [`MaterialSpec`]s and [`Look`]s. Out: handles of `StandardMaterial`s; each surface is drawn once per run and kept.
//! What is absent: which entity wears what (`spawn`).

use std::collections::HashMap;

use bevy::{
    asset::RenderAssetUsages,
    image::{ImageAddressMode, ImageFilterMode, ImageSampler, ImageSamplerDescriptor},
    math::{Affine2, Vec2, Vec3},
    prelude::*,
    render::render_resource::{Extent3d, TextureDimension, TextureFormat},
};

use super::{
    kit::{Grain, mesh::Look},
    patterns::{Figure, SurfaceMaps, SurfaceRecipe},
    quality::QualitySettings,
};
use crate::{
    base::Seed,
    scene::{MaterialSpec, Pattern},
};

/// All materials of this run, by what they look like.
#[derive(Resource, Default)]
pub struct MaterialLibrary {
    rooms: HashMap<RoomKey, (MaterialSpec, Handle<StandardMaterial>)>,
    objects: HashMap<Look, Handle<StandardMaterial>>,
    pictures: HashMap<PictureKey, Pictures>,
}

/// A material spec as a key: its numbers as bits, its dream as text.
type RoomKey = (Pattern, [u32; 9], Option<String>);
/// A recipe and the size it is drawn at.
type PictureKey = (Figure, [u32; 7], u64, u32);

#[derive(Clone)]
struct Pictures {
    base_color: Handle<Image>,
    normal: Handle<Image>,
    roughness: Option<Handle<Image>>,
}

/// A surface that is to be drawn.
pub(super) struct SurfaceOrder {
    key: PictureKey,
    recipe: SurfaceRecipe,
    size: u32,
}

/// A surface as plain values.
pub(super) struct DrawnSurface {
    key: PictureKey,
    maps: SurfaceMaps,
}

impl SurfaceOrder {
    pub fn draw(&self) -> DrawnSurface {
        DrawnSurface { key: self.key, maps: self.recipe.draw(self.size) }
    }
}

/// All grains that are drawn.
const GRAINS: [Grain; 7] =
    [Grain::Wood, Grain::Ceramic, Grain::Fabric, Grain::Metal, Grain::Leather, Grain::Peel, Grain::Bark];

/// The seed of all surfaces: a material looks the same in every scene.
const SURFACE_SEED: Seed = Seed(0x5eed);

/// Where new images and materials go.
pub struct Workshop<'a> {
    pub images: &'a mut Assets<Image>,
    pub materials: &'a mut Assets<StandardMaterial>,
    pub settings: QualitySettings,
}

impl MaterialLibrary {
    /// The surfaces that `specs` and all objects need and that are not there yet, each once; with `again`, also those that
    /// are there and those of every material of this run.
    pub(super) fn orders<'s>(
        &'s self,
        specs: impl Iterator<Item = &'s MaterialSpec>,
        settings: &QualitySettings,
        again: bool,
    ) -> Vec<SurfaceOrder> {
        let known = self.rooms.values().map(|(spec, _)| spec).filter(|_| again);
        let recipes = specs.chain(known).filter_map(|spec| room_recipe(spec, settings.texture_size));
        let mut wanted: Vec<SurfaceOrder> = Vec::new();
        for (recipe, size) in recipes.chain(GRAINS.map(|grain| grain_recipe(grain, settings.texture_size))) {
            let key = picture_key(&recipe, size);
            if (again || !self.pictures.contains_key(&key)) && wanted.iter().all(|other| other.key != key) {
                wanted.push(SurfaceOrder { key, recipe, size });
            }
        }
        wanted
    }

    /// Makes textures of drawn surfaces.
    pub(super) fn store(&mut self, surfaces: Vec<DrawnSurface>, workshop: &mut Workshop) {
        for DrawnSurface { key, maps } in surfaces {
            let pictures = Pictures::new(maps, workshop);
            self.pictures.insert(key, pictures);
        }
    }

    /// Lets go of all textures; materials keep theirs until they are dressed again.
    pub(super) fn forget_pictures(&mut self) {
        self.pictures.clear();
    }

    /// Gives all materials the textures that belong to the present quality, under their handles.
    pub(super) fn redress(&mut self, workshop: &mut Workshop) {
        for (spec, handle) in self.rooms.clone().into_values() {
            let material = self.room_material(&spec, workshop);
            if let Some(mut worn) = workshop.materials.get_mut(&handle) {
                *worn = material;
            }
        }
        for (look, handle) in self.objects.clone() {
            let material = self.object_material(look, workshop);
            if let Some(mut worn) = workshop.materials.get_mut(&handle) {
                *worn = material;
            }
        }
    }

    /// Lets go of the surfaces of rooms; what objects share stays.
    pub fn forget_rooms(&mut self, settings: &QualitySettings) {
        let shared = GRAINS.map(|grain| {
            let (recipe, size) = grain_recipe(grain, settings.texture_size);
            picture_key(&recipe, size)
        });
        self.rooms.clear();
        self.objects.clear();
        self.pictures.retain(|key, _| shared.contains(key));
    }

    fn pictures(&mut self, recipe: &SurfaceRecipe, size: u32, workshop: &mut Workshop) -> Pictures {
        let key = picture_key(recipe, size);
        self.pictures.entry(key).or_insert_with(|| Pictures::new(recipe.draw(size), workshop)).clone()
    }

    /// The material of a surface of a room, and of objects that wear it. Texture coordinates are metres.
    pub fn room(&mut self, spec: &MaterialSpec, workshop: &mut Workshop) -> Handle<StandardMaterial> {
        let [b, a] = [spec.base_color, spec.accent_color];
        let numbers = [b.x, b.y, b.z, a.x, a.y, a.z, spec.roughness, spec.metallic, spec.scale_m].map(f32::to_bits);
        let key = (spec.pattern, numbers, spec.dream.as_ref().map(ToString::to_string));
        if let Some((_, known)) = self.rooms.get(&key) {
            return known.clone();
        }
        let material = self.room_material(spec, workshop);
        let handle = workshop.materials.add(material);
        self.rooms.insert(key, (spec.clone(), handle.clone()));
        handle
    }

    fn room_material(&mut self, spec: &MaterialSpec, workshop: &mut Workshop) -> StandardMaterial {
        let mut material = StandardMaterial {
            perceptual_roughness: spec.roughness,
            metallic: spec.metallic,
            uv_transform: Affine2::from_scale(Vec2::splat(1.0 / spec.scale_m)),
            ..default()
        };
        match room_recipe(spec, workshop.settings.texture_size) {
            Some((recipe, size)) => self.pictures(&recipe, size, workshop).dress(&mut material, true),
            None => material.base_color = linear(spec.base_color),
        }
        material
    }

    /// The material of an object's part; its colour comes with the vertices.
    pub fn object(&mut self, look: Look, workshop: &mut Workshop) -> Handle<StandardMaterial> {
        if let Some(known) = self.objects.get(&look) {
            return known.clone();
        }
        let material = self.object_material(look, workshop);
        let handle = workshop.materials.add(material);
        self.objects.insert(look, handle.clone());
        handle
    }

    fn object_material(&mut self, look: Look, workshop: &mut Workshop) -> StandardMaterial {
        let emissive = look.emissive();
        let mut material = StandardMaterial {
            perceptual_roughness: look.perceptual_roughness(),
            metallic: if look.metallic { 1.0 } else { 0.0 },
            emissive: LinearRgba::rgb(emissive.x, emissive.y, emissive.z),
            uv_transform: Affine2::from_scale(Vec2::splat(1.0 / grain_scale_m(look.grain))),
            ..default()
        };
        if look.grain != Grain::None {
            let (recipe, size) = grain_recipe(look.grain, workshop.settings.texture_size);
            let pictures = self.pictures(&recipe, size, workshop);
            pictures.dress(&mut material, workshop.settings.object_relief);
            // The part says how rough it is; a grain's own variation would need a map per roughness.
            material.metallic_roughness_texture = None;
            material.perceptual_roughness = look.perceptual_roughness();
        }
        material
    }
}

impl Pictures {
    fn new(maps: SurfaceMaps, workshop: &mut Workshop) -> Self {
        let anisotropy = workshop.settings.anisotropy;
        let (size, levels) = (maps.size, maps.mip_levels);
        let mut add = |bytes, format| workshop.images.add(tiling_image(bytes, size, levels, format, anisotropy));
        Self {
            base_color: add(maps.base_color, TextureFormat::Rgba8UnormSrgb),
            normal: add(maps.normal, TextureFormat::Rgba8Unorm),
            roughness: workshop.settings.roughness_maps.then(|| add(maps.roughness, TextureFormat::Rgba8Unorm)),
        }
    }

    fn dress(&self, material: &mut StandardMaterial, relief: bool) {
        material.base_color_texture = Some(self.base_color.clone());
        if relief {
            material.normal_map_texture = Some(self.normal.clone());
        }
        if let Some(roughness) = &self.roughness {
            material.metallic_roughness_texture = Some(roughness.clone());
            // The map holds the roughness itself.
            material.perceptual_roughness = 1.0;
        }
    }
}

/// A linear colour for a material.
pub fn linear(color: Vec3) -> Color {
    Color::linear_rgb(color.x, color.y, color.z)
}

/// How a room's surface is drawn and at what size; `None` for plain ones.
fn room_recipe(spec: &MaterialSpec, texture_size: u32) -> Option<(SurfaceRecipe, u32)> {
    (spec.pattern != Pattern::Plain).then(|| {
        let recipe = SurfaceRecipe {
            figure: Figure::Pattern(spec.pattern),
            base_color: spec.base_color,
            accent_color: spec.accent_color,
            roughness: spec.roughness,
            seed: SURFACE_SEED.derive("room"),
        };
        // Soft patterns need half the pixels; patterns with joints and blades all of them.
        let soft = matches!(spec.pattern, Pattern::Plaster | Pattern::Concrete | Pattern::Fabric);
        (recipe, if soft { texture_size / 2 } else { texture_size })
    })
}

fn grain_recipe(grain: Grain, texture_size: u32) -> (SurfaceRecipe, u32) {
    let recipe = SurfaceRecipe {
        figure: Figure::Grain(grain),
        base_color: Vec3::splat(0.96),
        accent_color: Vec3::splat(0.7),
        roughness: 0.5,
        seed: SURFACE_SEED.derive("grain"),
    };
    (recipe, (texture_size / 2).min(256))
}

/// Size of one repeat of a grain, metres.
fn grain_scale_m(grain: Grain) -> f32 {
    match grain {
        Grain::None => 1.0,
        Grain::Wood => 0.4,
        Grain::Ceramic => 0.3,
        Grain::Fabric => 0.06,
        Grain::Metal => 0.3,
        Grain::Leather => 0.1,
        Grain::Peel => 0.08,
        Grain::Bark => 0.2,
    }
}

fn picture_key(recipe: &SurfaceRecipe, size: u32) -> PictureKey {
    let [b, a] = [recipe.base_color, recipe.accent_color];
    (recipe.figure, [b.x, b.y, b.z, a.x, a.y, a.z, recipe.roughness].map(f32::to_bits), recipe.seed.0, size)
}

/// A square picture that repeats, all levels one after the other.
pub fn tiling_image(bytes: Vec<u8>, size: u32, mip_levels: u32, format: TextureFormat, anisotropy: u16) -> Image {
    let mut image = Image::new_uninit(
        Extent3d { width: size, height: size, depth_or_array_layers: 1 },
        TextureDimension::D2,
        format,
        RenderAssetUsages::RENDER_WORLD,
    );
    image.data = Some(bytes);
    image.texture_descriptor.mip_level_count = mip_levels;
    image.sampler = ImageSampler::Descriptor(ImageSamplerDescriptor {
        address_mode_u: ImageAddressMode::Repeat,
        address_mode_v: ImageAddressMode::Repeat,
        mag_filter: ImageFilterMode::Linear,
        min_filter: ImageFilterMode::Linear,
        mipmap_filter: ImageFilterMode::Linear,
        anisotropy_clamp: anisotropy,
        ..default()
    });
    image
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::quality::Quality;

    #[test]
    fn another_quality_reaches_materials_that_are_worn() {
        let (mut images, mut materials) = (Assets::<Image>::default(), Assets::<StandardMaterial>::default());
        let mut library = MaterialLibrary::default();
        let look = Look { grain: Grain::Wood, roughness: 8, metallic: false, emissive: [0; 3] };
        let spec = MaterialSpec {
            pattern: Pattern::Planks,
            base_color: Vec3::splat(0.4),
            accent_color: Vec3::splat(0.6),
            roughness: 0.8,
            metallic: 0.0,
            scale_m: 1.0,
            ..MaterialSpec::default()
        };
        let low = QualitySettings { texture_size: 16, ..Quality::Software.settings() };
        let mut workshop = Workshop { images: &mut images, materials: &mut materials, settings: low };
        let (floor, wood) = (library.room(&spec, &mut workshop), library.object(look, &mut workshop));

        workshop.settings = QualitySettings { texture_size: 64, ..Quality::High.settings() };
        let orders = library.orders(std::iter::empty(), &workshop.settings, true);
        library.forget_pictures();
        library.store(orders.iter().map(SurfaceOrder::draw).collect(), &mut workshop);
        library.redress(&mut workshop);
        let side = |texture: &Option<Handle<Image>>| images.get(texture.as_ref().unwrap()).unwrap().width();
        let (floor, wood) = (materials.get(&floor).unwrap(), materials.get(&wood).unwrap());
        assert_eq!((side(&floor.base_color_texture), side(&wood.base_color_texture)), (64, 32));
        assert!(floor.metallic_roughness_texture.is_some() && wood.normal_map_texture.is_some());
    }

    #[test]
    fn like_surfaces_share_a_material() {
        let (mut images, mut materials) = (Assets::<Image>::default(), Assets::<StandardMaterial>::default());
        let settings = QualitySettings { texture_size: 16, ..Quality::Software.settings() };
        let mut workshop = Workshop { images: &mut images, materials: &mut materials, settings };
        let mut library = MaterialLibrary::default();
        let spec = MaterialSpec {
            pattern: Pattern::Bricks,
            base_color: Vec3::splat(0.4),
            accent_color: Vec3::splat(0.6),
            roughness: 0.8,
            metallic: 0.0,
            scale_m: 1.0,
            ..MaterialSpec::default()
        };
        let brick = library.room(&spec, &mut workshop);
        assert_eq!(library.room(&spec.clone(), &mut workshop), brick);
        let wider = library.room(&MaterialSpec { scale_m: 2.0, ..spec }, &mut workshop);
        assert_ne!(wider, brick);
        // Another scale shares the pictures.
        assert_eq!(
            workshop.materials.get(&wider).unwrap().base_color_texture,
            workshop.materials.get(&brick).unwrap().base_color_texture
        );
    }
}
