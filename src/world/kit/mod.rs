//! The object kit: parametric families of everyday objects, drawn from seeds.
//!
//! In goes a class and a [`Seed`], out comes an [`ObjectModel`]: geometry, surfaces, collision pieces, and where other
//! things may stand on it. Plain values; nothing here touches the ECS. A family file holds families that share shapes;
//! [`shape`] is the modelling toolkit, [`palette`] the colours, [`draw`] the dice.

mod book;
mod containers;
mod desk;
pub mod draw;
mod fruit;
mod furniture;
mod joinery;
mod lamp;
mod leaves;
pub mod mesh;
mod model;
mod music;
pub mod palette;
mod plant;
mod pots;
mod seats;
pub mod shape;
mod storage;
mod tableware;
mod tools;
mod toys;
mod vehicles;
mod wear;

use rand_chacha::ChaCha8Rng;

use crate::base::Seed;

pub use model::{ColliderPiece, Grain, MeshBuffers, ObjectModel, Part, SupportSurface, Surface};

/// Builds one member of a family from the family's random stream.
pub type Family = fn(&mut ChaCha8Rng) -> ObjectModel;

/// What the kit can build, by class name. The only place where a class name meets its builder.
pub const FAMILIES: &[(&str, Family)] = &[
    ("mug", tableware::mug),
    ("bowl", tableware::bowl),
    ("plate", tableware::plate),
    ("bottle", containers::bottle),
    ("vase", containers::vase),
    ("teapot", pots::teapot),
    ("kettle", pots::kettle),
    ("pan", pots::pan),
    ("lamp", lamp::lamp),
    ("chair", seats::chair),
    ("stool", seats::stool),
    ("table", furniture::table),
    ("shelf", furniture::shelf),
    ("book", book::book),
    ("box", storage::cardboard_box),
    ("crate", storage::wooden_crate),
    ("barrel", containers::barrel),
    ("bucket", containers::bucket),
    ("ball", toys::ball),
    ("cone", vehicles::cone),
    ("die", toys::die),
    ("clock", desk::clock),
    ("candle", desk::candle),
    ("plant", plant::plant),
    ("apple", fruit::apple),
    ("banana", fruit::banana),
    ("pear", fruit::pear),
    ("guitar", music::guitar),
    ("drum", music::drum),
    ("hammer", tools::hammer),
    ("key", tools::key),
    ("umbrella", wear::umbrella),
    ("hat", wear::hat),
    ("boat", vehicles::boat),
    ("car", vehicles::car),
    ("duck", toys::duck),
];

/// Builds the `seed`-th member of the family `class`; `None` if the kit has no such family. The same seed always gives
/// the same object.
pub fn build(class: &str, seed: Seed) -> Option<ObjectModel> {
    let (name, family) = FAMILIES.iter().find(|(name, _)| *name == class)?;
    Some(family(&mut seed.derive(name).rng()))
}

#[cfg(test)]
mod tests;
