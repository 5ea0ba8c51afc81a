//! Fits the models of this world to its own frames.
//!
//! In: recorded frames. Out: model folders. The network and its training are generic over burn's backends; which one runs
//! is chosen by features (see [`backend`]). What turns a picture into the network's input is the same function as in play.

pub mod assignment;
pub mod augment;
pub mod average;
pub mod backend;
pub mod batches;
pub mod checkpoint;
pub mod conv_block;
pub mod detector_export;
pub mod detector_loss;
pub mod detector_model;
pub mod detector_net;
pub mod detector_training;
pub mod detector_validation;
pub mod drawn_shapes;
pub mod frames;
pub mod learning_curve;
pub mod recorded_frames;
pub mod schedule;
#[cfg(feature = "train-tch")]
mod torch_block;
