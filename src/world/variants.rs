//! Members of the kit's families as meshes and collision shapes: drawn once, shared by all objects of a class and seed.
//!
//! In: the objects of a scene. Out: what is not there yet as [`VariantOrder`]s, which are drawn anywhere; [`Variant`]s with
//! handles. What is absent: entities (`spawn`), materials (`materials`).

use std::collections::HashMap;

use avian3d::prelude::Collider;
use bevy::prelude::*;

use super::{
    kit::{
        self, ObjectModel,
        mesh::{DrawnPart, Look, drawn_parts},
    },
    physics::object_collider,
};
use crate::{
    base::Seed,
    scene::{ObjectSource, SceneSpec},
};

type VariantKey = (String, Seed);

/// A drawn member of a family.
pub struct Variant {
    pub model: ObjectModel,
    pub collider: Option<Collider>,
    pub meshes: Vec<(Handle<Mesh>, Look)>,
    /// The main part alone and the rest, for objects whose main part wears another material.
    pub meshes_apart: Option<Vec<(Handle<Mesh>, Look)>>,
}

/// Variants that were drawn in this run.
#[derive(Resource, Default)]
pub struct Variants(HashMap<VariantKey, Variant>);

/// A variant that is to be drawn.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct VariantOrder {
    key: VariantKey,
    /// Whether the main part is also wanted as a mesh of its own.
    apart: bool,
    tangents: bool,
}

/// A variant as plain values.
pub(super) struct DrawnVariant {
    key: VariantKey,
    model: ObjectModel,
    collider: Option<Collider>,
    parts: Vec<DrawnPart>,
    parts_apart: Option<Vec<DrawnPart>>,
}

impl VariantOrder {
    /// Draws it; `None` if the kit has no such family.
    pub fn draw(&self) -> Option<DrawnVariant> {
        let model = kit::build(&self.key.0, self.key.1)?;
        Some(DrawnVariant {
            key: self.key.clone(),
            collider: object_collider(&model.collider),
            parts: drawn_parts(&model, false, self.tangents),
            // A material of a room has relief, so the main part needs tangents in any case.
            parts_apart: self.apart.then(|| drawn_parts(&model, true, true)),
            model,
        })
    }
}

impl Variants {
    /// What `scene` needs and is not there yet, each once; with `again`, also everything that is there.
    pub(super) fn orders(&self, scene: &SceneSpec, tangents: bool, again: bool) -> Vec<VariantOrder> {
        let mut orders: Vec<VariantOrder> = Vec::new();
        let mut places: HashMap<VariantKey, usize> = HashMap::new();
        let mut order = |key: &VariantKey, apart: bool| {
            let place = *places.entry(key.clone()).or_insert_with(|| {
                orders.push(VariantOrder { key: key.clone(), apart: false, tangents });
                orders.len() - 1
            });
            orders[place].apart |= apart;
        };
        for object in &scene.objects {
            let ObjectSource::Kind { kind, seed } = &object.source else { continue };
            let apart = object.material.as_ref().is_some_and(|name| scene.materials.contains_key(name));
            let key = (kind.clone(), *seed);
            let there = self.0.get(&key).is_some_and(|known| !apart || known.meshes_apart.is_some());
            if !there || again {
                order(&key, apart);
            }
        }
        if again {
            let mut known: Vec<_> = self.0.iter().collect();
            known.sort_by(|((a, a_seed), _), ((b, b_seed), _)| (a, a_seed.0).cmp(&(b, b_seed.0)));
            for (key, variant) in known {
                order(key, variant.meshes_apart.is_some());
            }
        }
        orders
    }

    /// Makes assets of a drawn variant. Meshes that are there already are drawn anew under their handles.
    pub(super) fn store(&mut self, drawn: DrawnVariant, meshes: &mut Assets<Mesh>) {
        let DrawnVariant { key, model, collider, parts, parts_apart } = drawn;
        let known = self.0.get(&key);
        let whole = renew(known.map(|known| known.meshes.as_slice()), parts, meshes);
        let before = known.and_then(|known| known.meshes_apart.as_deref());
        let apart = match parts_apart {
            Some(parts) => Some(renew(before, parts, meshes)),
            None => before.map(<[_]>::to_vec),
        };
        self.0.insert(key, Variant { model, collider, meshes: whole, meshes_apart: apart });
    }

    /// The variant; drawn here and now if nobody has prepared it.
    pub(super) fn get_or_draw(
        &mut self,
        key: VariantKey,
        apart: bool,
        tangents: bool,
        meshes: &mut Assets<Mesh>,
    ) -> Option<&Variant> {
        let there = self.0.get(&key).is_some_and(|known| !apart || known.meshes_apart.is_some());
        if !there {
            self.store(VariantOrder { key: key.clone(), apart, tangents }.draw()?, meshes);
        }
        self.0.get(&key)
    }

    /// Lets go of everything.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

/// Handles of `parts`: those of `known` where there are, with new contents.
fn renew(
    known: Option<&[(Handle<Mesh>, Look)]>,
    parts: Vec<DrawnPart>,
    meshes: &mut Assets<Mesh>,
) -> Vec<(Handle<Mesh>, Look)> {
    parts
        .into_iter()
        .enumerate()
        .map(|(index, part)| {
            // A variant has the same parts whenever it is drawn.
            let handle = known.and_then(|known| known.get(index)).map(|(handle, _)| handle.clone());
            let handle = match handle {
                Some(handle) if meshes.insert(handle.id(), part.mesh.clone()).is_ok() => handle,
                _ => meshes.add(part.mesh),
            };
            (handle, part.look)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_drawn_again_keeps_its_handles() {
        let (mut variants, mut meshes) = (Variants::default(), Assets::<Mesh>::default());
        let key = ("mug".to_owned(), Seed(3));
        let first = variants.get_or_draw(key.clone(), false, false, &mut meshes).unwrap().meshes.clone();
        assert!(first.iter().all(|(mesh, _)| meshes.get(mesh).unwrap().attribute(Mesh::ATTRIBUTE_TANGENT).is_none()));
        let order = VariantOrder { key: key.clone(), apart: true, tangents: true };
        variants.store(order.draw().unwrap(), &mut meshes);
        let again = variants.get_or_draw(key, true, true, &mut meshes).unwrap();
        assert_eq!(again.meshes, first);
        assert!(again.meshes_apart.is_some());
        assert!(first.iter().all(|(mesh, _)| meshes.get(mesh).unwrap().attribute(Mesh::ATTRIBUTE_TANGENT).is_some()));
    }

    #[test]
    fn the_kit_draws_only_what_it_has() {
        assert!(VariantOrder { key: ("unicorn".to_owned(), Seed(0)), apart: false, tangents: false }.draw().is_none());
    }
}
