//! Pure maths on buffers: squashing, resampling, thinning overlapping boxes, scoring.
//!
//! What is absent: systems, I/O, tensors of any library. Slices in, values out.

mod average_precision;
pub mod binaural;
mod confusion;
pub mod edit_distance;
pub mod head_responses;
pub mod log_mel;
mod logits;
pub mod noise;
mod normal_draws;
mod overlap;
mod percentiles;
mod resample;
pub mod sample_rate;
pub mod tiling;

pub use average_precision::{ClassScore, DetectionScore, score_detections};
pub use confusion::{Confusion, OperatingPoint};
pub use logits::{logit, sigmoid, softmax};
pub use normal_draws::{normal_between, normal_draws};
pub use overlap::{MIN_SIDE, MIN_VISIBLE, ScoredBox, TrueBox, suppress_overlaps};
pub use percentiles::percentiles;
pub use resample::{Letterbox, RgbView, Window, resample_bilinear};
