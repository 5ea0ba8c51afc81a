//! A slow moving average of a network's weights: what is validated, kept and shipped.
//!
//! Source: Polyak and Juditsky, "Acceleration of stochastic approximation by averaging", 1992, in its exponential form.

use std::collections::HashMap;

use burn::{
    module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId},
    tensor::{Tensor, TensorPrimitive, backend::Backend},
};

/// Steps between two looks of an average at the weights.
const LOOK_EVERY: usize = 4;

/// How slowly an average follows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MovingAverage {
    /// A step is forgotten within about this many.
    pub steps: f32,
}

impl MovingAverage {
    /// Whether the average looks at the weights after this step.
    pub fn is_due(self, step: usize) -> bool {
        step.is_multiple_of(LOOK_EVERY)
    }

    /// The average after a look at the weights of this step.
    pub fn follow<B: Backend, M: Module<B>>(self, average: M, current: &M, step: usize) -> M {
        // Young averages forget faster, so that they do not drag the first random weights along.
        let memory = self.steps.min(0.1 * step as f32 + 1.0).max(LOOK_EVERY as f32);
        move_towards(average, current, LOOK_EVERY as f32 / memory)
    }
}

/// Moves every float of `average` by `share` (0 to 1) towards `current`, a network of the same make.
fn move_towards<B: Backend, M: Module<B>>(average: M, current: &M, share: f32) -> M {
    let mut collected = Collected { tensors: HashMap::new() };
    current.visit(&mut collected);
    average.map(&mut Mover { current: collected.tensors, share })
}

struct Collected<B: Backend> {
    tensors: HashMap<ParamId, TensorPrimitive<B>>,
}

impl<B: Backend> ModuleVisitor<B> for Collected<B> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
        self.tensors.insert(param.id, param.val().into_primitive());
    }
}

struct Mover<B: Backend> {
    current: HashMap<ParamId, TensorPrimitive<B>>,
    share: f32,
}

impl<B: Backend> ModuleMapper<B> for Mover<B> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<B, D>>) -> Param<Tensor<B, D>> {
        let (id, tensor, mapper) = param.consume();
        let tensor = match self.current.remove(&id) {
            Some(current) => {
                tensor.mul_scalar(1.0 - self.share) + Tensor::from_primitive(current).mul_scalar(self.share)
            }
            None => tensor,
        };
        Param::from_mapped_value(id, tensor, mapper)
    }
}
