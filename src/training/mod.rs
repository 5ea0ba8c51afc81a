//! Fits the models of this world to its own frames.
//!
//! In: recorded frames and sounds. Out: model folders. Networks and trainings are generic over burn's backends; which one
//! runs is chosen by features (see [`backend`]). What turns a picture or a sound into the network's input is the same function
//! as in play.

pub mod ahead;
pub mod assignment;
pub mod augment;
pub mod average;
pub mod backend;
pub mod batches;
pub mod checkpoint;
pub mod close_ups;
pub mod conv_block;
pub mod detector_export;
pub mod detector_import;
pub mod detector_loss;
pub mod detector_model;
pub mod detector_net;
pub mod detector_training;
pub mod detector_validation;
pub mod drawn_shapes;
pub mod fitting;
pub mod frames;
pub mod gru_layer;
pub mod kernel_steps;
pub mod learning_curve;
mod model_files;
pub mod recorded_frames;
pub mod schedule;
pub mod speech_augment;
pub mod speech_batches;
pub mod speech_corpus;
pub mod speech_export;
pub mod speech_model;
pub mod speech_net;
pub mod speech_training;
pub mod texture_export;
pub mod texture_judge;
pub mod texture_maps;
pub mod texture_model;
pub mod texture_net;
pub mod texture_photos;
pub mod texture_training;
#[cfg(feature = "train-tch")]
mod torch_block;
