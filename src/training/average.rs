//! A slow moving average of a network's weights: what is validated, kept and shipped.
//!
//! Source: Polyak and Juditsky, "Acceleration of stochastic approximation by averaging", 1992, in its exponential form.

use std::collections::HashMap;

use burn::{
    module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId},
    tensor::{Tensor, TensorPrimitive, backend::Backend},
};

/// Moves every float of `average` by `share` (0 to 1) towards `current`, a network of the same make.
pub fn move_towards<B: Backend, M: Module<B>>(average: M, current: &M, share: f32) -> M {
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
