//! Tensors by name: what goes into a model and what comes out of it.
//!
//! No conversion happens here: what a tensor's numbers mean, and how pixels or samples become numbers, is the business of
//! those who submit requests.

use std::borrow::Cow;

use ndarray::ArrayD;
use thiserror::Error;

use super::onnx_file::ElementType;

/// One tensor, row-major, outermost axis first.
#[derive(Clone, Debug, PartialEq)]
pub enum Tensor {
    F32(ArrayD<f32>),
    U8(ArrayD<u8>),
    I64(ArrayD<i64>),
}

impl Tensor {
    /// Type of the elements.
    pub fn element(&self) -> ElementType {
        match self {
            Tensor::F32(_) => ElementType::F32,
            Tensor::U8(_) => ElementType::U8,
            Tensor::I64(_) => ElementType::I64,
        }
    }

    /// Extents, outermost axis first.
    pub fn shape(&self) -> &[usize] {
        match self {
            Tensor::F32(array) => array.shape(),
            Tensor::U8(array) => array.shape(),
            Tensor::I64(array) => array.shape(),
        }
    }

    /// Whether no element is NaN or infinite; integers are always finite.
    pub fn is_finite(&self) -> bool {
        match self {
            // A sum is NaN or infinite if a term is, and is several times faster to take than a test of each element; a
            // finite tensor whose sum overflows is then looked at element by element.
            Tensor::F32(array) => array.sum().is_finite() || array.iter().all(|value| value.is_finite()),
            Tensor::U8(_) | Tensor::I64(_) => true,
        }
    }
}

impl<D: ndarray::Dimension> From<ndarray::Array<f32, D>> for Tensor {
    fn from(array: ndarray::Array<f32, D>) -> Self {
        Tensor::F32(array.into_dyn())
    }
}

impl<D: ndarray::Dimension> From<ndarray::Array<u8, D>> for Tensor {
    fn from(array: ndarray::Array<u8, D>) -> Self {
        Tensor::U8(array.into_dyn())
    }
}

impl<D: ndarray::Dimension> From<ndarray::Array<i64, D>> for Tensor {
    fn from(array: ndarray::Array<i64, D>) -> Self {
        Tensor::I64(array.into_dyn())
    }
}

/// A tensor is not there, or is of another type than asked for.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TensorError {
    #[error("there is no tensor {0:?}")]
    Missing(String),
    #[error("tensor {name:?} holds {found}, not {wanted}")]
    Element { name: String, found: ElementType, wanted: ElementType },
}

/// Tensors by name, in the order in which they were put in.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NamedTensors(Vec<(Cow<'static, str>, Tensor)>);

impl NamedTensors {
    pub fn new() -> Self {
        Self::default()
    }

    /// These tensors and one more; a tensor of the same name is replaced.
    #[must_use]
    pub fn with(mut self, name: impl Into<Cow<'static, str>>, tensor: impl Into<Tensor>) -> Self {
        self.insert(name, tensor);
        self
    }

    /// Puts a tensor in; one of the same name is replaced.
    pub fn insert(&mut self, name: impl Into<Cow<'static, str>>, tensor: impl Into<Tensor>) {
        let (name, tensor) = (name.into(), tensor.into());
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, slot)) => *slot = tensor,
            None => self.0.push((name, tensor)),
        }
    }

    pub fn get(&self, name: &str) -> Option<&Tensor> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, tensor)| tensor)
    }

    /// The f32 tensor `name`.
    ///
    /// # Errors
    /// - there is no such tensor, or it holds other elements
    pub fn f32(&self, name: &str) -> Result<&ArrayD<f32>, TensorError> {
        match self.get(name) {
            Some(Tensor::F32(array)) => Ok(array),
            other => Err(not_found(name, other, ElementType::F32)),
        }
    }

    /// The u8 tensor `name`.
    ///
    /// # Errors
    /// - there is no such tensor, or it holds other elements
    pub fn u8(&self, name: &str) -> Result<&ArrayD<u8>, TensorError> {
        match self.get(name) {
            Some(Tensor::U8(array)) => Ok(array),
            other => Err(not_found(name, other, ElementType::U8)),
        }
    }

    /// The i64 tensor `name`.
    ///
    /// # Errors
    /// - there is no such tensor, or it holds other elements
    pub fn i64(&self, name: &str) -> Result<&ArrayD<i64>, TensorError> {
        match self.get(name) {
            Some(Tensor::I64(array)) => Ok(array),
            other => Err(not_found(name, other, ElementType::I64)),
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &Tensor)> {
        self.0.iter().map(|(name, tensor)| (name.as_ref(), tensor))
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn not_found(name: &str, found: Option<&Tensor>, wanted: ElementType) -> TensorError {
    match found {
        Some(tensor) => TensorError::Element { name: name.to_owned(), found: tensor.element(), wanted },
        None => TensorError::Missing(name.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn tensors_are_found_by_name_and_type() {
        let tensors =
            NamedTensors::new().with("x", array![[1.0_f32]]).with("x", array![2.0_f32]).with("n", array![3_i64]);
        assert_eq!(tensors.len(), 2);
        assert_eq!(tensors.f32("x").map(|x| x[[0]]), Ok(2.0));
        assert_eq!(tensors.f32("y"), Err(TensorError::Missing("y".into())));
        assert_eq!(tensors.f32("n").unwrap_err().to_string(), "tensor \"n\" holds i64, not f32");
    }

    #[test]
    fn one_bad_element_is_found_and_a_great_sum_is_not_bad() {
        assert!(!Tensor::from(array![1.0, f32::NAN]).is_finite());
        assert!(!Tensor::from(array![f32::INFINITY, f32::NEG_INFINITY]).is_finite());
        assert!(Tensor::from(array![f32::MAX, f32::MAX]).is_finite());
    }
}
