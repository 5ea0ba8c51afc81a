//! The optimiser: AdamW, and for the kernels of convolutions, where asked for, orthogonal steps of momentum (Muon).
//!
//! A step of AdamW follows the few directions in which a kernel's gradient is long; an orthogonal one goes equally far in all
//! of them, and rare classes are learnt from the short ones. Both go about equally far for one learning rate.
//!
//! Sources: Loshchilov and Hutter, "Decoupled Weight Decay Regularization", ICLR 2019; Jordan et al., "Muon: An optimizer for
//! hidden layers in neural networks", 2024; for the common rate Liu et al., "Muon is Scalable for LLM Training", 2025.

use burn::{
    grad_clipping::GradientClippingConfig,
    module::AutodiffModule,
    optim::{
        AdamW, AdamWConfig, AdamWState, AdjustLrFn, LearningRate, Muon, MuonConfig, MuonState, SimpleOptimizer,
        adaptor::OptimizerAdaptor, decay::WeightDecayConfig, momentum::MomentumConfig,
    },
    record::Record,
    tensor::{
        Tensor,
        backend::{AutodiffBackend, Backend},
    },
};

/// Momentum of orthogonal steps.
const MOMENTUM: f64 = 0.95;

/// Takes the steps of one training.
#[derive(Clone)]
pub struct KernelSteps<B: Backend> {
    adam: AdamW,
    /// For kernels, where asked for.
    muon: Option<Muon<B>>,
}

/// What is remembered of one parameter's gradients.
#[derive(Record, Clone)]
pub struct StepState<B: Backend, const D: usize> {
    adam: Option<AdamWState<B, D>>,
    muon: Option<MuonState<B, 2>>,
}

impl<B: Backend> KernelSteps<B> {
    /// `beta_2` is the memory of AdamW's second moment; `orthogonal` asks for Muon's steps where they apply.
    pub fn new(weight_decay: f32, beta_2: f32, orthogonal: bool) -> Self {
        let adam = AdamWConfig::new().with_weight_decay(weight_decay).with_beta_2(beta_2).with_epsilon(1e-8).build();
        let muon = orthogonal.then(|| {
            MuonConfig::new()
                .with_weight_decay(Some(WeightDecayConfig::new(weight_decay)))
                .with_momentum(MomentumConfig { momentum: MOMENTUM, dampening: 0.0, nesterov: true })
                .with_adjust_lr_fn(AdjustLrFn::MatchRmsAdamW)
                .build()
        });
        Self { adam, muon }
    }

    /// For all parameters of a network; gradients longer than `longest_gradient` (Euclidean norm of each parameter's) are cut.
    pub fn of_network<M, A>(self, longest_gradient: f32) -> OptimizerAdaptor<Self, M, A>
    where
        M: AutodiffModule<A>,
        A: AutodiffBackend<InnerBackend = B>,
    {
        OptimizerAdaptor::from(self).with_grad_clipping(GradientClippingConfig::Norm(longest_gradient).init())
    }
}

/// Whether a parameter is a kernel inside a network, with several inputs and a neighbourhood: what orthogonal steps are for. The
/// first convolution, which sees colours, and the last, which tell answers, are better off without.
fn is_inner_kernel(dims: &[usize]) -> bool {
    matches!(*dims, [_, inputs, height, width] if inputs > 3 && height * width > 1)
}

impl<B: Backend> SimpleOptimizer<B> for KernelSteps<B> {
    type State<const D: usize> = StepState<B, D>;

    fn step<const D: usize>(
        &self,
        rate: LearningRate,
        parameter: Tensor<B, D>,
        gradient: Tensor<B, D>,
        state: Option<StepState<B, D>>,
    ) -> (Tensor<B, D>, Option<StepState<B, D>>) {
        let state = state.unwrap_or(StepState { adam: None, muon: None });
        let dims = parameter.dims();
        match &self.muon {
            Some(muon) if is_inner_kernel(&dims) => {
                let matrix = [dims[0], dims[1..].iter().product()];
                let (parameter, muon) =
                    muon.step(rate, parameter.reshape(matrix), gradient.reshape(matrix), state.muon);
                (parameter.reshape(dims), Some(StepState { adam: None, muon }))
            }
            _ => {
                let (parameter, adam) = self.adam.step(rate, parameter, gradient, state.adam);
                (parameter, Some(StepState { adam, muon: None }))
            }
        }
    }

    fn to_device<const D: usize>(state: StepState<B, D>, device: &B::Device) -> StepState<B, D> {
        StepState {
            adam: state.adam.map(|adam| AdamW::to_device(adam, device)),
            muon: state.muon.map(|muon| Muon::to_device(muon, device)),
        }
    }
}

#[cfg(test)]
mod tests {
    use burn::backend::Flex;

    use super::*;

    /// Root of the mean square of a step, and the step itself, for a gradient of 8 × 4 × 3 × 3.
    fn one_step(orthogonal: bool) -> (f32, Vec<f32>) {
        let device = Default::default();
        let dims = [8, 4, 3, 3];
        let count = dims.iter().product::<usize>();
        // One direction is a hundred times as long as the others.
        let gradient: Vec<f32> =
            (0..count).map(|i| ((i * 37 % 101) as f32 / 50.0 - 1.0) * if i < 36 { 100.0 } else { 1.0 }).collect();
        let tensor = |values: &[f32]| Tensor::<Flex, 1>::from_floats(values, &device).reshape(dims);
        let steps = KernelSteps::<Flex>::new(0.0, 0.99, orthogonal);
        let (after, _) = steps.step(1e-2, tensor(&vec![0.0; count]), tensor(&gradient), None);
        let step = after.into_data().to_vec::<f32>().unwrap();
        ((step.iter().map(|s| s * s).sum::<f32>() / count as f32).sqrt(), step)
    }

    #[test]
    fn orthogonal_steps_go_equally_far_in_all_directions() {
        let (length, step) = one_step(true);
        let rows: Vec<f32> = step.chunks(36).map(|row| row.iter().map(|s| s * s).sum::<f32>().sqrt()).collect();
        let (least, most) = rows.iter().fold((f32::MAX, 0.0_f32), |(l, m), &row| (l.min(row), m.max(row)));
        assert!(most < 2.0 * least, "rows of one step: {rows:?}");
        // A fifth of the rate a value, as AdamW goes once it runs.
        assert!((0.0012..0.0026).contains(&length), "{length}");
    }

    #[test]
    fn vectors_and_answers_go_by_adam() {
        let (length, _) = one_step(false);
        assert!((length - 1e-2).abs() < 1e-4, "AdamW's first step is its rate: {length}");
        assert!(is_inner_kernel(&[16, 8, 3, 3]));
        assert!(!is_inner_kernel(&[16, 3, 3, 3]) && !is_inner_kernel(&[36, 64, 1, 1]) && !is_inner_kernel(&[64]));
    }
}
