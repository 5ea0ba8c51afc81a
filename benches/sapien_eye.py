"""The scene of benches/eye.rs rendered by SAPIEN 3: processor time per picture of RGB, position and segmentation.

    python3 -m venv sapien && sapien/bin/pip install sapien==3.0.3
    sapien/bin/python benches/sapien_eye.py

Prints one JSON object, to be compared with that of `cargo bench --features train --bench eye` on the same machine with
the same Vulkan driver (VK_DRIVER_FILES). All threads are counted.
"""

import json
import math
import resource

import sapien

PICTURES = 60
WARM_UP = 5


def cpu_seconds():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def pose(x, y, z):
    """SAPIEN's axes: x forward, y left, z up. Ours: x right, y up, z back."""
    return sapien.Pose([-z, -x, y])


def scene_with_camera(shadow):
    scene = sapien.Scene()
    scene.set_ambient_light([0.1, 0.1, 0.1])
    scene.add_directional_light([0.3, 0.5, -1.0], [3, 3, 3], shadow=shadow, shadow_scale=8, shadow_map_size=2048)

    def body(add, at):
        builder = scene.create_actor_builder()
        add(builder)
        builder.set_initial_pose(at)
        builder.build_static()

    def material(red, green, blue):
        made = sapien.render.RenderMaterial()
        made.base_color = [red, green, blue, 1]
        return made

    body(lambda b: b.add_box_visual(half_size=[5, 5, 0.01], material=material(0.5, 0.5, 0.5)), pose(0, -0.01, 0))
    for n in range(24):
        color = material(0.2 + 0.6 * (n % 5) / 4, 0.2 + 0.6 * (n % 7) / 6, 0.2 + 0.6 * (n % 3) / 2)
        add = [
            lambda b: b.add_box_visual(half_size=[0.2, 0.2, 0.2], material=color),
            lambda b: b.add_sphere_visual(radius=0.22, material=color),
            lambda b: b.add_cylinder_visual(radius=0.2, half_length=0.2, material=color),
        ][n % 3]
        body(add, pose((n % 6) * 0.7 - 1.75, 0.22, (n // 6) * 0.8 - 1.2))

    camera = scene.add_camera("eye", 320, 320, 1.0, 0.05, 200)
    # Looks down by atan(2.2 / 5), as the eye of benches/eye.rs does.
    half = 0.5 * math.atan2(2.2, 5.0)
    camera.set_local_pose(sapien.Pose([-5, 0, 2.5], [math.cos(half), 0, math.sin(half), 0]))
    return scene, camera


def cpu_ms_per_picture(shadow, labels):
    scene, camera = scene_with_camera(shadow)

    def picture():
        scene.update_render()
        camera.take_picture()
        camera.get_picture("Color")
        if labels:
            camera.get_picture("Position")
            camera.get_picture("Segmentation")

    for _ in range(WARM_UP):
        picture()
    start = cpu_seconds()
    for _ in range(PICTURES):
        picture()
    return round((cpu_seconds() - start) * 1000 / PICTURES, 1)


print(json.dumps({name: {"rgb_and_labels_cpu_ms": cpu_ms_per_picture(shadow, True)} for name, shadow in [("no_shadow", False), ("shadow", True)]}))
