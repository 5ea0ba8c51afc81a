// Labels of one surface point, unshaded: (instance id, depth in metres, octahedral world normal).
//
// The view renders straight into an Rgba32Float texture: no blending, no multisampling, no tone mapping, so that ids stay
// whole numbers (exact up to 2^24) and depth keeps its full precision.
#import bevy_pbr::{
    forward_io::VertexOutput,
    mesh_functions::get_tag,
    view_transformations::position_world_to_view,
}

// Unit vector to [-1, 1]^2. Source: Cigolle et al., "A survey of efficient representations for independent unit
// vectors", JCGT 3(2), 2014.
fn octahedral(n: vec3<f32>) -> vec2<f32> {
    let p = n.xy / (abs(n.x) + abs(n.y) + abs(n.z));
    let folded = (vec2(1.0) - abs(p.yx)) * select(vec2(-1.0), vec2(1.0), p >= vec2(0.0));
    return select(folded, p, n.z >= 0.0);
}

@fragment
fn fragment(in: VertexOutput, @builtin(front_facing) is_front: bool) -> @location(0) vec4<f32> {
    let depth_m = -position_world_to_view(in.world_position.xyz).z;
#ifdef VERTEX_NORMALS
    let normal = normalize(in.world_normal) * select(-1.0, 1.0, is_front);
#else
    let normal = vec3(0.0, 1.0, 0.0);
#endif
    return vec4(f32(get_tag(in.instance_index)), depth_m, octahedral(normal));
}
