//! The modelling toolkit: numbers in, [`MeshBuffers`] out.
//!
//! Every maker returns triangles that wind counter-clockwise seen from outside, unit normals, and UVs in metres with v
//! along the grain (the height of a turned body, the length of a tube, the longest side of a box). Bodies are closed
//! unless a maker says otherwise. What is absent: colours, physics, randomness.

mod lathe;
mod loft;
mod mesh;
mod outline;
mod sheet;
mod solid;
mod tube;

pub use lathe::{Knot, lathe, sharp, smooth_profile, soft};
pub use loft::loft;
pub use mesh::merged;
pub use outline::{extrude, triangulate};
pub use sheet::sheet;
pub use solid::{beveled_box, beveled_cylinder, board, ellipsoid, soft_box};
pub use tube::{Ends, arc, curve, rod, tube};
