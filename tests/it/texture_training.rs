//! The generator's way from photographs to a model folder: a training that was stopped goes on, the exported model says what
//! the network says, and what it says tiles.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use burn::{
    backend::{Autodiff, Flex},
    module::AutodiffModule,
    tensor::{Distribution, Tensor, backend::Backend},
};
use ndarray::ArrayD;
use umwelt::{
    app::inference_places,
    base::Seed,
    inference::{
        NamedTensors, library,
        provider::{Provider, ProviderChoice, SessionSettings},
        session::ModelSession,
    },
    training::{
        checkpoint,
        fitting::Report,
        schedule::Budget,
        texture_export::OUTPUTS,
        texture_model::write_texture,
        texture_net::{CELL, Generator, TextureShape, Wish},
        texture_photos::{MATERIALS, Photo, PhotoSet},
        texture_training::{Recipe, TexturePoint, TextureSettings, train_texture},
    },
};

type B = Autodiff<Flex>;

fn tiny() -> TextureShape {
    TextureShape { materials: MATERIALS.len(), style: 4, latent: 4, widths: [8, 8, 8, 8, 4, 4], mapping: 8 }
}

/// Stripes, of another width for each material.
fn photos() -> Vec<PhotoSet> {
    (0..MATERIALS.len())
        .map(|material| {
            let wide = material % 5 + 1;
            let stripe = |i: usize| if (i % 32 / wide).is_multiple_of(2) { [0.7, 0.4, 0.2] } else { [0.2; 3] };
            let rgb: Vec<[f32; 3]> = (0..32 * 32).map(stripe).collect();
            PhotoSet { train: vec![Photo::new(&rgb, 32, &MATERIALS[material])], held_out: Vec::new() }
        })
        .collect()
}

fn train(steps: usize, stop_at: usize, run: &Path) -> Vec<TexturePoint> {
    let mut settings = TextureSettings::new(Recipe::Paired);
    settings.shape = tiny();
    settings.batch = 2;
    settings.budget = Budget::Steps(steps);
    settings.checkpoints = 1;
    let stop = AtomicBool::new(false);
    let mut report = |report| {
        if let Report::Step { step, .. } = report {
            stop.store(step >= stop_at, Ordering::Relaxed);
        }
    };
    let device = Default::default();
    let mut looks = 0;
    let mut look = |_: &Generator<Flex>, _| {
        looks += 1;
        Ok(())
    };
    let (_, curve) = train_texture::<B>(&settings, Arc::new(photos()), run, &device, &stop, &mut look, &mut report)
        .expect("trained");
    assert!(looks > 0, "nobody was shown the pictures");
    curve
}

#[test]
fn a_stopped_training_of_textures_goes_on_where_it_was() {
    let run = tempfile::tempdir().expect("a temporary folder");
    assert_eq!(train(3, 2, run.path()).last().map(|point| point.step), Some(2));
    let saved =
        checkpoint::load_progress::<TexturePoint>(&run.path().join("generator")).expect("readable").expect("there");
    assert_eq!(saved.step, 2);
    let curve = train(3, usize::MAX, run.path());
    assert_eq!(curve.iter().map(|point| point.step).collect::<Vec<_>>(), [2, 3]);
}

fn wish(cells: [usize; 2]) -> Wish<Flex> {
    let (device, normal, shape) = (Default::default(), Distribution::Normal(0.0, 1.0), tiny());
    let mut material = vec![0.0_f32; shape.materials];
    (material[2], material[7]) = (0.7, 0.3);
    Wish {
        material: Tensor::<Flex, 1>::from_floats(material.as_slice(), &device).reshape([1, shape.materials]),
        style: Tensor::random([1, shape.style], normal, &device),
        latent: Tensor::random([1, shape.latent, cells[0], cells[1]], normal, &device),
        grain: Tensor::random([1, 1, CELL * cells[0], CELL * cells[1]], normal, &device),
    }
}

fn array<const D: usize>(tensor: &Tensor<Flex, D>) -> ArrayD<f32> {
    let dims = tensor.dims();
    ArrayD::from_shape_vec(dims.to_vec(), tensor.to_data().iter::<f32>().collect()).expect("of this shape")
}

#[test]
fn the_exported_generator_says_what_the_network_says_at_any_size() {
    let runtime = match library::load(&inference_places::library_places()) {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("SKIPPED: {error}");
            return;
        }
    };
    let device = Default::default();
    Flex::seed(&device, 3);
    // A training pass or two, so that the running statistics are not the identity.
    let net = Generator::<B>::new(&tiny(), &device);
    for _ in 0..2 {
        let Wish { material, style, latent, grain } = wish([4, 4]);
        let [material, style] = [material, style].map(Tensor::from_inner);
        let [latent, grain] = [latent, grain].map(Tensor::from_inner);
        net.forward(Wish { material, style, latent, grain });
    }
    let net = net.valid();
    let folder = tempfile::tempdir().expect("a temporary folder");
    write_texture(folder.path(), &net, &tiny(), Seed(3), "test").expect("written");

    let cpu = SessionSettings { provider: ProviderChoice::Named(Provider::Cpu), ..Default::default() };
    let mut session = ModelSession::open(runtime, folder.path(), &cpu).expect("passes the door");
    for cells in [[4, 4], [1, 3]] {
        let wish = wish(cells);
        let inputs = NamedTensors::new()
            .with("material", array(&wish.material))
            .with("style", array(&wish.style))
            .with("latent", array(&wish.latent))
            .with("grain", array(&wish.grain));
        let told = session.run(&inputs).expect("ran");
        let expected = net.forward(wish);
        let mut first = 0;
        for (name, channels) in OUTPUTS {
            let expected: Vec<f32> = expected.clone().narrow(1, first, channels).into_data().iter::<f32>().collect();
            let told = told.f32(name).expect("an output");
            assert_eq!(told.shape(), [1, channels, CELL * cells[0], CELL * cells[1]]);
            let apart = told.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(apart < 1e-5, "{name} at {cells:?} cells differs by {apart}");
            first += channels;
        }
    }
}
