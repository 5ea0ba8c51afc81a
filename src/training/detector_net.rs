//! The detector's network: one look, three resolutions, no anchors.
//!
//! In: pictures `[batch, 3, height, width]`, RGB, 0 to 1, sides a multiple of 32. Out: for each cell of three grids
//! (8, 16 and 32 pixels a cell) a logit per class and, for each side of a box, a distribution of its distance.
//! Ordinary convolutions and rectifiers only: on CPUs they train and run faster than depthwise ones of equal use.
//!
//! Sources: the residual stages follow Redmon and Farhadi, "YOLOv3", 2018; the two-way pyramid Liu et al., "PANet",
//! CVPR 2018, with sums for concatenations; the split heads Ge et al., "YOLOX", 2021; the distance distributions
//! Li et al., "Generalized Focal Loss", NeurIPS 2020.

use burn::{
    module::Module,
    tensor::{Tensor, backend::Backend},
};
use serde::{Deserialize, Serialize};

use super::{
    backend::TrainingBackend,
    conv_block::{ConvBias, ConvNorm, doubled},
};

/// Pixels a cell of the three grids, finest first.
pub const STRIDES: [usize; 3] = [8, 16, 32];

/// Distances from a cell's centre to a side of the box are told in this many steps: 0, 1, … 15 cells.
pub const DISTANCE_BINS: usize = 16;

/// How large the network is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetShape {
    pub classes: usize,
    /// Channels at 2, 4, 8, 16 and 32 pixels a cell.
    pub widths: [usize; 5],
    /// Residual blocks at 4, 8, 16 and 32 pixels a cell.
    pub depths: [usize; 4],
    /// Channels of the pyramid and of the heads.
    pub pyramid: usize,
}

impl NetShape {
    /// 1.8 M parameters, 0.7 G multiply-adds at 320×320: two CPU cores fit it in about an hour.
    pub fn small(classes: usize) -> Self {
        Self { classes, widths: [16, 32, 64, 128, 192], depths: [1, 2, 2, 2], pyramid: 64 }
    }

    /// 2.7 M parameters, 1.7 G multiply-adds at 320×320, more of them at the fine grids, where small things are told apart:
    /// for a machine with a GPU.
    pub fn large(classes: usize) -> Self {
        Self { classes, widths: [24, 48, 96, 160, 208], depths: [1, 3, 3, 1], pyramid: 88 }
    }
}

/// Two 3×3 convolutions through a bottleneck, added to what came in.
#[derive(Module, Debug)]
pub struct Residual<B: Backend> {
    pub narrow: ConvNorm<B>,
    pub widen: ConvNorm<B>,
}

impl<B: TrainingBackend> Residual<B> {
    fn new(width: usize, device: &B::Device) -> Self {
        Self {
            narrow: ConvNorm::new(width, width / 2, 3, 1, device),
            widen: ConvNorm::new(width / 2, width, 3, 1, device),
        }
    }

    fn forward(&self, x: Tensor<B, 4>, apply: &mut impl Apply<B>) -> Tensor<B, 4> {
        let narrow = apply(&self.narrow, x.clone());
        x + apply(&self.widen, narrow)
    }
}

/// How a block is applied.
pub trait Apply<B: Backend>: FnMut(&ConvNorm<B>, Tensor<B, 4>) -> Tensor<B, 4> {}

impl<B: Backend, F: FnMut(&ConvNorm<B>, Tensor<B, 4>) -> Tensor<B, 4>> Apply<B> for F {}

/// Halves the resolution, then refines.
#[derive(Module, Debug)]
pub struct Stage<B: Backend> {
    pub down: ConvNorm<B>,
    pub blocks: Vec<Residual<B>>,
}

impl<B: TrainingBackend> Stage<B> {
    fn new(width_in: usize, width: usize, depth: usize, device: &B::Device) -> Self {
        Self {
            down: ConvNorm::new(width_in, width, 3, 2, device),
            blocks: (0..depth).map(|_| Residual::new(width, device)).collect(),
        }
    }

    fn forward(&self, x: Tensor<B, 4>, apply: &mut impl Apply<B>) -> Tensor<B, 4> {
        let x = apply(&self.down, x);
        self.blocks.iter().fold(x, |x, block| block.forward(x, apply))
    }
}

/// What one grid says: classes on one path, distances on the other.
#[derive(Module, Debug)]
pub struct Head<B: Backend> {
    pub class_hidden: ConvNorm<B>,
    pub class: ConvBias<B>,
    pub distance_hidden: ConvNorm<B>,
    pub distance: ConvBias<B>,
}

impl<B: TrainingBackend> Head<B> {
    fn new(width: usize, classes: usize, device: &B::Device) -> Self {
        Self {
            class_hidden: ConvNorm::new(width, width, 3, 1, device),
            // Nearly all cells are background; a start at probability 0.01 keeps the first steps calm (Lin et al., 2017).
            class: ConvBias::new(width, classes, -(99.0_f64.ln()), device),
            distance_hidden: ConvNorm::new(width, width, 3, 1, device),
            distance: ConvBias::new(width, 4 * DISTANCE_BINS, 0.0, device),
        }
    }
}

/// Raw answers for all cells of all grids, finest grid first, row by row.
#[derive(Clone, Debug)]
pub struct RawAnswers<B: Backend> {
    /// `[batch, cells, classes]`, logits.
    pub classes: Tensor<B, 3>,
    /// `[batch, cells, 4 · DISTANCE_BINS]`, logits; sides in the order left, top, right, bottom.
    pub distances: Tensor<B, 3>,
}

#[derive(Module, Debug)]
pub struct DetectorNet<B: Backend> {
    pub stem: ConvNorm<B>,
    /// At 4, 8, 16 and 32 pixels a cell.
    pub stages: Vec<Stage<B>>,
    /// From the stages at 8, 16 and 32 to the pyramid's width.
    pub laterals: Vec<ConvNorm<B>>,
    /// After the sums on the way up to 8 and 16.
    pub upward: Vec<ConvNorm<B>>,
    /// From 8 to 16 and from 16 to 32.
    pub downward: Vec<ConvNorm<B>>,
    pub heads: Vec<Head<B>>,
}

impl<B: TrainingBackend> DetectorNet<B> {
    /// Weights are drawn from the backend's generator: seed it first.
    pub fn new(shape: &NetShape, device: &B::Device) -> Self {
        let [stem, w4, w8, w16, w32] = shape.widths;
        let [d4, d8, d16, d32] = shape.depths;
        let pyramid = shape.pyramid;
        Self {
            stem: ConvNorm::new(3, stem, 3, 2, device),
            stages: vec![
                Stage::new(stem, w4, d4, device),
                Stage::new(w4, w8, d8, device),
                Stage::new(w8, w16, d16, device),
                Stage::new(w16, w32, d32, device),
            ],
            laterals: [w8, w16, w32].map(|width| ConvNorm::new(width, pyramid, 1, 1, device)).into(),
            upward: (0..2).map(|_| ConvNorm::new(pyramid, pyramid, 3, 1, device)).collect(),
            downward: (0..2).map(|_| ConvNorm::new(pyramid, pyramid, 3, 2, device)).collect(),
            heads: STRIDES.map(|_| Head::new(pyramid, shape.classes, device)).into(),
        }
    }

    pub fn forward(&self, pictures: Tensor<B, 4>) -> RawAnswers<B> {
        self.forward_through(pictures, &mut |block: &ConvNorm<B>, x| block.forward(x))
    }

    /// The same with `apply` in place of [`ConvNorm::forward`].
    pub fn forward_through(&self, pictures: Tensor<B, 4>, apply: &mut impl Apply<B>) -> RawAnswers<B> {
        let x = apply(&self.stem, pictures);
        let x4 = self.stages[0].forward(x, apply);
        let x8 = self.stages[1].forward(x4, apply);
        let x16 = self.stages[2].forward(x8.clone(), apply);
        let x32 = self.stages[3].forward(x16.clone(), apply);

        let p32 = apply(&self.laterals[2], x32);
        let sum = apply(&self.laterals[1], x16) + doubled(p32.clone());
        let p16 = apply(&self.upward[1], sum);
        let sum = apply(&self.laterals[0], x8) + doubled(p16.clone());
        let p8 = apply(&self.upward[0], sum);
        let p16 = p16 + apply(&self.downward[0], p8.clone());
        let p32 = p32 + apply(&self.downward[1], p16.clone());

        let (classes, distances) = [p8, p16, p32]
            .into_iter()
            .zip(&self.heads)
            .map(|(x, head)| {
                let classes = head.class.forward(apply(&head.class_hidden, x.clone()));
                let distances = head.distance.forward(apply(&head.distance_hidden, x));
                (by_cell(classes), by_cell(distances))
            })
            .unzip();
        RawAnswers { classes: Tensor::cat(classes, 1), distances: Tensor::cat(distances, 1) }
    }
}

/// `[batch, channels, height, width]` to `[batch, cells, channels]`.
fn by_cell<B: Backend>(x: Tensor<B, 4>) -> Tensor<B, 3> {
    let [batch, channels, height, width] = x.dims();
    x.permute([0, 2, 3, 1]).reshape([batch, height * width, channels])
}

/// Centres (x, y) of all cells in pixels with the pixels a cell, in the order of [`RawAnswers`].
pub fn cells(width: usize, height: usize) -> Vec<Cell> {
    STRIDES
        .iter()
        .flat_map(|&stride| {
            (0..height / stride).flat_map(move |row| {
                (0..width / stride).map(move |column| Cell {
                    center: [(column as f32 + 0.5) * stride as f32, (row as f32 + 0.5) * stride as f32],
                    stride: stride as f32,
                })
            })
        })
        .collect()
}

/// One place where the network may answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cell {
    /// (x, y) in pixels.
    pub center: [f32; 2],
    /// Side in pixels.
    pub stride: f32,
}

impl<B: burn::tensor::backend::AutodiffBackend> RawAnswers<B> {
    /// The same numbers without their history.
    pub fn inner(self) -> RawAnswers<B::InnerBackend> {
        RawAnswers { classes: self.classes.inner(), distances: self.distances.inner() }
    }
}
