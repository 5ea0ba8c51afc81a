//! Dreams of the world become true: a queue in front of the generator, and textures on the surfaces that asked for them.
//!
//! In: [`Dreams`] on meshes, [`Swatches`] that are wanted, the model with task [`TASK`]. Out: dressed materials and
//! [`DreamShown`], pictures of swatches, [`DreamMaterials`] as the generator names them, [`DreamingStatus`].
//!
//! One texture is made at a time, on the model's own thread; so are its levels. Pictures go to the graphics card in parts that
//! fit into [`DreamingSettings::upload_bytes`] a frame, and a surface changes when all of them are there. Where there is no
//! generator nothing happens but a status. What is absent: which surface wears what (`world`).

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::Arc,
};

use bevy::{math::Affine2, prelude::*, render::render_resource::TextureFormat};

use super::{
    generator::{Generator, TASK, TextureInputs, repeats},
    made::{Made, SWATCH},
    maps::{Texture, decode_maps},
    name::TextureName,
    shelf::{DiskSettings, News, Shelf},
    store::{Store, Uploaded},
};
use crate::{
    base::{Seed, Status, Tick},
    inference::{Models, RunError, Worker, provider::Provider},
    scene::{DreamMaterials, DreamSpec, Mixture, Variation},
    world::{DreamShown, Dreams, Quality, Swatches, materials::tiling_image},
};

/// Side of the textures that swatches are drawn of, texels.
const SWATCH_TEXTURE: u32 = 128;

/// A texture that is not made in time is tried so often.
const TRIES: u32 = 3;

/// How much dreams may cost.
#[derive(Resource, Clone, Debug, PartialEq, Eq)]
pub struct DreamingSettings {
    /// Pictures in memory, bytes; those that are worn may be more.
    pub memory_bytes: usize,
    /// What may be handed to the renderer in one frame, bytes. A picture that is larger goes alone.
    pub upload_bytes: usize,
    /// Where textures are kept between runs; `None`: nowhere.
    pub disk: Option<DiskSettings>,
}

impl Default for DreamingSettings {
    fn default() -> Self {
        Self { memory_bytes: 128 << 20, upload_bytes: 3 << 19, disk: None }
    }
}

/// Makes dreams true.
#[derive(Default)]
pub struct DreamingPlugin {
    pub settings: DreamingSettings,
}

/// All that happens to dreams in a frame, in `Update`.
#[derive(SystemSet, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DreamingSystems;

impl Plugin for DreamingPlugin {
    fn build(&self, app: &mut App) {
        app.insert_resource(Dreaming::new(&self.settings))
            .insert_resource(self.settings.clone())
            .init_resource::<DreamingStatus>()
            .init_resource::<DreamMaterials>()
            .init_resource::<Swatches>()
            .add_systems(
                Update,
                (know_generator, name_dreams, follow_quality, collect, upload, order, dress, make_room, tell_status)
                    .chain()
                    .in_set(DreamingSystems),
            );
    }
}

/// How dreaming goes.
#[derive(Resource, Clone, Debug, Default, PartialEq)]
pub struct DreamingStatus {
    pub generator: Status,
    /// Textures that somebody waits for.
    pub waiting: usize,
    /// Textures that the generator made in this run, and that came from the disk.
    pub made: u64,
    pub from_disk: u64,
    /// Textures in memory, and the bytes of their pictures.
    pub textures: usize,
    pub bytes: usize,
    /// Handed to the renderer in this frame, bytes.
    pub uploaded_bytes: usize,
    /// What the last texture took, milliseconds.
    pub took_ms: f64,
    /// Why nothing is kept on disk.
    pub disk_trouble: Option<String>,
    pub last_fault: Option<String>,
}

/// The texture of a surface, and of which dream it is.
#[derive(Component, Clone, Debug)]
struct Named {
    dream: DreamSpec,
    /// `None` where the generator does not know the material.
    texture: Option<TextureName>,
    /// Of that generator.
    model: String,
    /// Width of the whole texture, metres.
    scale_m: f32,
}

/// How far a texture has come that is not there yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The disk is asked.
    Looking,
    /// It is not on the disk.
    ToBeMade,
    /// The generator is at it.
    Made,
    /// Its pictures are on their way to the renderer.
    Uploading,
}

/// Pictures on their way to the renderer.
struct Upload {
    name: TextureName,
    made: Box<Made>,
    base_color: Option<Handle<Image>>,
    normal: Option<Handle<Image>>,
    surface: Option<Handle<Image>>,
    bytes: usize,
}

#[derive(Resource)]
struct Dreaming {
    generator: Option<Arc<Generator>>,
    shelf: Option<Shelf>,
    store: Store,
    under_way: HashMap<TextureName, Stage>,
    /// What cannot be made is not tried again by this generator.
    failed: HashSet<TextureName>,
    /// How often the generator did not come to an end with a texture.
    tries: HashMap<TextureName, u32>,
    uploads: VecDeque<Upload>,
    /// All of it was handed over in the last frame.
    arriving: Vec<(TextureName, Uploaded)>,
    status: DreamingStatus,
}

impl Dreaming {
    fn new(settings: &DreamingSettings) -> Self {
        Self {
            generator: None,
            shelf: settings.disk.clone().and_then(Shelf::open),
            store: Store::new(settings.memory_bytes),
            under_way: HashMap::new(),
            failed: HashSet::new(),
            tries: HashMap::new(),
            uploads: VecDeque::new(),
            arriving: Vec::new(),
            status: DreamingStatus::default(),
        }
    }

    fn take(&mut self, name: TextureName, made: Box<Made>) {
        self.under_way.insert(name.clone(), Stage::Uploading);
        self.uploads.push_back(Upload { name, made, base_color: None, normal: None, surface: None, bytes: 0 });
    }

    fn fail(&mut self, name: TextureName, why: String) {
        warn!("{name}: {why}");
        self.under_way.remove(&name);
        self.failed.insert(name);
        self.status.last_fault = Some(why);
    }
}

/// Looks whether there is a generator, another one, or none any more.
fn know_generator(models: Option<Res<Models>>, mut dreaming: ResMut<Dreaming>, mut materials: ResMut<DreamMaterials>) {
    let dreaming = &mut *dreaming;
    let Some(models) = models else {
        dreaming.status.generator = Status::Unavailable("no models in this run".to_owned());
        materials.set_if_neq(DreamMaterials::default());
        return;
    };
    let manifest = models.for_task(TASK).and_then(Worker::manifest);
    let Some(manifest) = manifest else {
        dreaming.status.generator =
            models.absence("texture", "there is no generator; `umwelt train texture` makes one");
        // What cannot be dreamt is not promised.
        if matches!(dreaming.status.generator, Status::Unavailable(_)) {
            materials.set_if_neq(DreamMaterials::default());
        }
        return;
    };
    if dreaming.generator.as_ref().is_some_and(|known| known.model.eq_ignore_ascii_case(&manifest.sha256)) {
        dreaming.status.generator = Status::Ready;
        if materials.0.is_empty() {
            *materials = known_materials(dreaming.generator.as_deref());
        }
        return;
    }
    match Generator::of(&manifest) {
        Ok(generator) => {
            materials.set_if_neq(known_materials(Some(&generator)));
            dreaming.generator = Some(Arc::new(generator));
            dreaming.status.generator = Status::Ready;
            dreaming.failed.clear();
        }
        Err(faults) => {
            let told = format!("the model is no generator of textures: {}", faults.join("; "));
            if dreaming.status.generator != Status::Unavailable(told.clone()) {
                warn!("{told}");
            }
            dreaming.status.generator = Status::Unavailable(told);
            dreaming.generator = None;
            materials.set_if_neq(DreamMaterials::default());
        }
    }
}

fn known_materials(generator: Option<&Generator>) -> DreamMaterials {
    let mut names = generator.map(|generator| generator.labels.clone()).unwrap_or_default();
    names.sort();
    DreamMaterials(names)
}

/// Finds the texture of every dream that is new or was changed, also by another generator.
fn name_dreams(
    mut dreaming: ResMut<Dreaming>,
    surfaces: Query<(Entity, &Dreams, Option<&Named>)>,
    undreamt: Query<Entity, (With<Named>, Without<Dreams>)>,
    mut commands: Commands,
) {
    for entity in &undreamt {
        commands.entity(entity).remove::<Named>();
    }
    let Some(generator) = dreaming.generator.clone() else { return };
    for (entity, Dreams(dream), named) in &surfaces {
        if named.is_some_and(|named| named.dream == *dream && named.model == generator.model) {
            continue;
        }
        let (texture, weights) = match (TextureName::of(dream, &generator), generator.weights(&dream.mixture)) {
            (Ok(texture), Ok(weights)) => (Some(texture), weights),
            (Err(unknown), _) | (_, Err(unknown)) => {
                dreaming.status.last_fault = Some(unknown.to_string());
                warn!("{unknown}");
                (None, Vec::new())
            }
        };
        let extent_m = dream.scale_m.unwrap_or_else(|| generator.extent_of(&weights));
        let scale_m = (extent_m * repeats(dream.size)).max(0.01);
        let model = generator.model.clone();
        commands.entity(entity).insert(Named { dream: dream.clone(), texture, model, scale_m });
    }
}

/// Another quality wants other pictures of the same textures.
fn follow_quality(quality: Option<Res<Quality>>, mut last: Local<Option<Quality>>, mut dreaming: ResMut<Dreaming>) {
    let quality = quality.map(|quality| *quality);
    if last.is_some() && *last != quality {
        // From the disk or anew; surfaces keep what they show until then.
        dreaming.store.clear();
    }
    *last = quality;
}

/// Takes in what the generator and the disk have for us.
fn collect(
    models: Option<Res<Models>>,
    mut dreaming: ResMut<Dreaming>,
    mut swatches: ResMut<Swatches>,
    mut images: ResMut<Assets<Image>>,
) {
    let dreaming = &mut *dreaming;
    // Those that arrived in the last frame are with the renderer by now.
    for (name, uploaded) in std::mem::take(&mut dreaming.arriving) {
        dreaming.under_way.remove(&name);
        dreaming.store.insert(name, uploaded);
    }
    for news in dreaming.shelf.as_ref().map(Shelf::news).unwrap_or_default() {
        match news {
            News::Found(name, mut made) => {
                dreaming.status.from_disk += 1;
                if show_swatch(&name, &mut made, &mut swatches, &mut images) {
                    dreaming.under_way.remove(&name);
                } else {
                    dreaming.take(name, made);
                }
            }
            News::NotThere(name) => {
                dreaming.under_way.insert(name, Stage::ToBeMade);
            }
            News::Trouble(trouble) => dreaming.status.disk_trouble = Some(trouble),
        }
    }
    let Some(worker) = models.as_ref().and_then(|models| models.for_task(TASK)) else { return };
    let Some(answer) = worker.poll::<(TextureName, Result<Box<Made>, String>)>() else { return };
    dreaming.status.took_ms = answer.took_ms;
    match answer.result {
        Ok((name, Ok(mut made))) => {
            dreaming.status.made += 1;
            // Only the processor's bytes are the same everywhere; another provider's are not handed on.
            let of_processor = worker.status().provider.is_some_and(|provider| provider == Provider::Cpu.name());
            if let Some(shelf) = dreaming.shelf.as_ref().filter(|_| of_processor && is_kept(&name)) {
                shelf.keep(name.clone(), made.texture.clone());
            }
            if show_swatch(&name, &mut made, &mut swatches, &mut images) {
                dreaming.under_way.remove(&name);
            } else {
                dreaming.take(name, made);
            }
        }
        Ok((name, Err(why))) => dreaming.fail(name, why),
        Err(error) => {
            // One is under way at a time.
            let lost =
                dreaming.under_way.iter().find(|(_, stage)| **stage == Stage::Made).map(|(name, _)| name.clone());
            if let Some(name) = lost {
                let tries = dreaming.tries.entry(name.clone()).or_insert(0);
                *tries += 1;
                if matches!(error, RunError::Deadline(_)) && *tries < TRIES {
                    // The machine was busy with something else: the next try may be in time.
                    dreaming.under_way.insert(name, Stage::ToBeMade);
                } else {
                    dreaming.fail(name, error.to_string());
                }
            }
        }
    }
}

/// Places on the way between two seeds are shown for a blink: they are not worth the disk.
fn is_kept(name: &TextureName) -> bool {
    name.variation.t() == 0.0
}

/// Keeps the swatch of a texture. False where it has none, or there is one already.
fn show_swatch(name: &TextureName, made: &mut Made, swatches: &mut Swatches, images: &mut Assets<Image>) -> bool {
    let material = name.mixture.main();
    let Some(rgba) = made.swatch.take().filter(|_| !swatches.pictures.contains_key(material)) else { return false };
    let picture = images.add(tiling_image(rgba, SWATCH, 1, TextureFormat::Rgba8UnormSrgb, 1));
    swatches.pictures.insert(material.to_owned(), picture);
    true
}

/// Hands pictures to the renderer, as many as fit into a frame.
fn upload(
    mut dreaming: ResMut<Dreaming>,
    settings: Res<DreamingSettings>,
    quality: Option<Res<Quality>>,
    mut images: ResMut<Assets<Image>>,
) {
    let quality = quality.map(|quality| *quality).unwrap_or_default().settings();
    let dreaming = &mut *dreaming;
    dreaming.status.uploaded_bytes = 0;
    while let Some(upload) = dreaming.uploads.front_mut() {
        let pictures = &mut upload.made.pictures;
        let (width, levels) = (pictures.width, pictures.levels);
        let (next, slot, format) = if upload.base_color.is_none() {
            (&mut pictures.base_color, &mut upload.base_color, TextureFormat::Rgba8UnormSrgb)
        } else if upload.normal.is_none() {
            (&mut pictures.normal, &mut upload.normal, TextureFormat::Rgba8Unorm)
        } else if upload.surface.is_none() && quality.roughness_maps {
            (&mut pictures.surface, &mut upload.surface, TextureFormat::Rgba8Unorm)
        } else {
            let Some(done) = dreaming.uploads.pop_front() else { return };
            let (Some(base_color), Some(normal)) = (done.base_color, done.normal) else { return };
            let Made { roughness, metalness, hash, .. } = *done.made;
            let uploaded =
                Uploaded { base_color, normal, surface: done.surface, roughness, metalness, bytes: done.bytes, hash };
            dreaming.arriving.push((done.name, uploaded));
            continue;
        };
        let bytes = next.len();
        let used = &mut dreaming.status.uploaded_bytes;
        if *used > 0 && *used + bytes > settings.upload_bytes {
            return;
        }
        *used += bytes;
        upload.bytes += bytes;
        let picture = std::mem::take(next);
        *slot = Some(images.add(tiling_image(picture, width, levels, format, quality.anisotropy)));
    }
}

/// Asks for what is wanted and not there: the disk first, then the generator, one texture at a time.
fn order(
    models: Option<Res<Models>>,
    mut dreaming: ResMut<Dreaming>,
    surfaces: Query<(&Named, Option<&DreamShown>)>,
    swatches: Res<Swatches>,
    tick: Option<Res<Tick>>,
) {
    let dreaming = &mut *dreaming;
    let Some(generator) = dreaming.generator.clone() else { return };
    // Surfaces that show something else by now, then those that show nothing yet, then swatches.
    let mut wanted: Vec<(bool, &TextureName)> = surfaces
        .iter()
        .filter(|(named, _)| named.model == generator.model)
        .filter_map(|(named, shown)| Some((shown.is_none(), named.texture.as_ref()?)))
        .collect();
    wanted.sort_by_key(|(new, _)| *new);
    let swatch_names: Vec<TextureName> = generator
        .labels
        .iter()
        .filter(|label| swatches.wanted && !swatches.pictures.contains_key(*label))
        .map(|label| TextureName {
            model: generator.model.clone(),
            mixture: Mixture::pure(label),
            variation: Variation::of(Seed(0)),
            size: SWATCH_TEXTURE,
        })
        .collect();
    let mut seen = HashSet::new();
    let missing: Vec<&TextureName> = wanted
        .into_iter()
        .map(|(_, name)| name)
        .filter(|name| !dreaming.store.contains(name))
        .chain(&swatch_names)
        .filter(|name| !dreaming.failed.contains(*name) && seen.insert(*name))
        .collect();
    dreaming.status.waiting = missing.len();
    // What nobody wants any more is not begun.
    dreaming.under_way.retain(|name, stage| *stage != Stage::ToBeMade || missing.contains(&name));
    for name in &missing {
        if dreaming.under_way.contains_key(*name) {
            continue;
        }
        let stage = match dreaming.shelf.as_ref().filter(|_| is_kept(name)) {
            Some(shelf) => {
                shelf.fetch((*name).clone(), swatch_names.contains(name));
                Stage::Looking
            }
            None => Stage::ToBeMade,
        };
        dreaming.under_way.insert((*name).clone(), stage);
    }
    let Some(worker) = models.as_ref().and_then(|models| models.for_task(TASK)) else { return };
    if worker.is_busy() || !worker.is_ready() || dreaming.under_way.values().any(|stage| *stage == Stage::Made) {
        return;
    }
    // Pictures that wait for the renderer are enough work for now.
    if dreaming.uploads.len() > 2 {
        return;
    }
    let next = missing.iter().find(|name| dreaming.under_way.get(**name) == Some(&Stage::ToBeMade));
    let Some(name) = next.map(|name| (*name).clone()) else { return };
    dreaming.under_way.insert(name.clone(), Stage::Made);
    let swatch = swatch_names.contains(&name);
    submit(worker, generator, name, swatch, tick.map_or_else(Tick::default, |tick| *tick));
}

/// Hands one texture to the generator's thread; everything about it that takes time is done there.
fn submit(worker: &Worker, generator: Arc<Generator>, name: TextureName, swatch: bool, tick: Tick) {
    let weights = generator.weights(&name.mixture).unwrap_or_default();
    let (variation, size) = (name.variation, name.size);
    let relief = generator.relief_of(&weights, size);
    worker.submit(
        tick,
        move |_| {
            TextureInputs::draw(&generator, &weights, variation, size)
                .map(TextureInputs::into_tensors)
                .unwrap_or_default()
        },
        move |outputs, _| {
            let made = decode_maps(outputs).map(|maps| Box::new(Made::of(Texture::of(&maps, relief), swatch)));
            (name, made.map_err(|error| format!("the generator's answer is not used: {error}")))
        },
    );
}

/// Puts textures onto the materials of the surfaces that asked for them.
fn dress(
    mut dreaming: ResMut<Dreaming>,
    surfaces: Query<(Entity, &Named, &Dreams, &MeshMaterial3d<StandardMaterial>, Option<&DreamShown>)>,
    mut materials: ResMut<Assets<StandardMaterial>>,
    mut commands: Commands,
) {
    for (entity, named, Dreams(dream), worn, shown) in &surfaces {
        let Some(name) = named.texture.as_ref().filter(|_| named.dream == *dream) else { continue };
        let Some(uploaded) = dreaming.store.get(name) else { continue };
        let is_shown = shown.is_some_and(|shown| shown.0 == *dream);
        // Another quality dresses materials anew, and then without dreams.
        let is_dressed =
            materials.get(&worn.0).is_some_and(|known| known.base_color_texture.as_ref() == Some(&uploaded.base_color));
        if is_shown && is_dressed {
            continue;
        }
        if let Some(mut material) = materials.get_mut(&worn.0) {
            wear(&mut material, uploaded, dream, named.scale_m);
        }
        dreaming.store.touch(name);
        commands.entity(entity).insert(DreamShown(dream.clone()));
    }
}

/// A material that shows a texture, one repeat `scale_m` metres wide.
fn wear(material: &mut StandardMaterial, uploaded: &Uploaded, dream: &DreamSpec, scale_m: f32) {
    let shade = dream.shade;
    material.base_color = Color::linear_rgb(shade, shade, shade);
    material.base_color_texture = Some(uploaded.base_color.clone());
    material.normal_map_texture = Some(uploaded.normal.clone());
    material.metallic_roughness_texture = uploaded.surface.clone();
    material.occlusion_texture = uploaded.surface.clone();
    let mapped = uploaded.surface.is_some();
    material.perceptual_roughness = if mapped { 1.0 } else { uploaded.roughness.max(0.03) };
    material.metallic = if mapped { 1.0 } else { uploaded.metalness };
    material.uv_transform = Affine2::from_scale(Vec2::splat(dream.stretch / scale_m));
}

/// Lets go of what is over the budget.
fn make_room(mut dreaming: ResMut<Dreaming>, surfaces: Query<&Named>) {
    if !dreaming.store.is_over_budget() {
        return;
    }
    let worn: HashSet<TextureName> = surfaces.iter().filter_map(|named| named.texture.clone()).collect();
    dreaming.store.make_room(&worn);
}

fn tell_status(mut dreaming: ResMut<Dreaming>, mut status: ResMut<DreamingStatus>) {
    let dreaming = dreaming.bypass_change_detection();
    dreaming.status.textures = dreaming.store.len();
    dreaming.status.bytes = dreaming.store.bytes();
    status.set_if_neq(dreaming.status.clone());
}
