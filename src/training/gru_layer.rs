//! One layer of gated recurrent units, forward in time.
//!
//! In: `[batch, steps, inputs]` and a state `[batch, hidden]`. Out: the state after every step, `[batch, steps, hidden]`; the
//! last of them goes on as the next call's state. How it is computed is the backend's choice ([`TrainingBackend`]).
//!
//! Source: Cho et al., 2014, in the form of PyTorch and of ONNX with `linear_before_reset`: with gates r (reset) and z
//! (update), n = tanh(W x + b + r ∘ (R h + c)), h' = (1 − z) ∘ n + z ∘ h.

use burn::{
    module::{Initializer, Module, Param},
    tensor::{Tensor, activation::sigmoid, backend::Backend},
};

use super::backend::TrainingBackend;

/// Weights in the layout of PyTorch: rows of the gates r, z, n one below the other.
#[derive(Module, Debug)]
pub struct GruLayer<B: Backend> {
    /// `[3 · hidden, inputs]`.
    pub input_weight: Param<Tensor<B, 2>>,
    /// `[3 · hidden, hidden]`.
    pub hidden_weight: Param<Tensor<B, 2>>,
    /// `[3 · hidden]`.
    pub input_bias: Param<Tensor<B, 1>>,
    /// `[3 · hidden]`.
    pub hidden_bias: Param<Tensor<B, 1>>,
    pub hidden: usize,
}

impl<B: TrainingBackend> GruLayer<B> {
    pub fn new(inputs: usize, hidden: usize, device: &B::Device) -> Self {
        let bound = 1.0 / (hidden as f64).sqrt();
        let even = Initializer::Uniform { min: -bound, max: bound };
        Self {
            input_weight: even.init([3 * hidden, inputs], device),
            hidden_weight: even.init([3 * hidden, hidden], device),
            input_bias: even.init([3 * hidden], device),
            hidden_bias: even.init([3 * hidden], device),
            hidden,
        }
    }

    pub fn forward(&self, x: Tensor<B, 3>, state: Tensor<B, 2>) -> Tensor<B, 3> {
        B::gru(self, x, state)
    }

    /// The layer out of the backend's own primitives.
    pub(super) fn forward_composed(&self, x: Tensor<B, 3>, mut state: Tensor<B, 2>) -> Tensor<B, 3> {
        let [batch, steps, inputs] = x.dims();
        let hidden = self.hidden;
        let from_input = x.reshape([batch * steps, inputs]).matmul(self.input_weight.val().transpose())
            + self.input_bias.val().unsqueeze();
        let from_input = from_input.reshape([batch, steps, 3 * hidden]);
        let recurrent = self.hidden_weight.val().transpose();
        let mut states = Vec::with_capacity(steps);
        for step in 0..steps {
            let from_input = from_input.clone().narrow(1, step, 1).reshape([batch, 3 * hidden]);
            let from_state = state.clone().matmul(recurrent.clone()) + self.hidden_bias.val().unsqueeze();
            let gate = |gates: &Tensor<B, 2>, index: usize| gates.clone().narrow(1, index * hidden, hidden);
            let reset = sigmoid(gate(&from_input, 0) + gate(&from_state, 0));
            let update = sigmoid(gate(&from_input, 1) + gate(&from_state, 1));
            let new = (gate(&from_input, 2) + reset * gate(&from_state, 2)).tanh();
            state = new.clone() + update * (state - new);
            states.push(state.clone().reshape([batch, 1, hidden]));
        }
        Tensor::cat(states, 1)
    }
}
