"""Makes `kemar.f16` of the KEMAR measurements in Debian's libmysofa1 (needs h5py, numpy). Usage: make.py MIT_KEMAR_normal_pinna.sofa

Per measurement, in the file's order (elevation from -40 up, azimuth from the front to the left): the delay in samples, and a
response of minimum phase that has the measured magnitude, relative to the average over all directions (diffuse-field
equalisation). Only the left ear is kept: the measured head is symmetric. Numbers are IEEE 754 halves, little-endian.
"""
import sys

import h5py
import numpy as np

TAPS, FFT, FINER = 128, 4096, 16

file = h5py.File(sys.argv[1])
places, left = file["SourcePosition"][:], file["Data.IR"][:, 0]
assert file["Data.SamplingRate"][0] == 44_100 and left.shape == (710, 512)
hertz = np.fft.rfftfreq(FFT, 1 / 44_100)
measured = np.abs(np.fft.rfft(left, FFT))


def minimum_phase(magnitudes):
    """The shortest response with these magnitudes (real cepstrum, folded: Oppenheim and Schafer)."""
    cepstrum = np.fft.irfft(np.log(np.maximum(magnitudes, 1e-5)), axis=1)
    cepstrum[:, 1 : FFT // 2] *= 2
    cepstrum[:, FFT // 2 + 1 :] = 0
    return np.fft.irfft(np.exp(np.fft.rfft(cepstrum, axis=1)), axis=1)


# Each measurement stands for its part of the sphere; the lowest ring also for all that is below it.
up = np.radians(places[:, 1])
band = np.radians(5)
above = np.minimum(up + band, np.pi / 2)
below = np.where(places[:, 1] == -40, -np.pi / 2, up - band)
_, ring, counts = np.unique(places[:, 1], return_inverse=True, return_counts=True)
share = (np.sin(above) - np.sin(below)) / counts[ring]
share /= share.sum()
diffuse = np.sqrt(share @ measured**2)
# As the ear's own bands are wide (a third of an octave), and no wild gain where the loudspeaker gave nothing.
smooth = np.array([diffuse[(hertz >= f / 2 ** (1 / 6)) & (hertz <= f * 2 ** (1 / 6))].mean() if f > 0 else diffuse[1] for f in hertz])
wanted = measured / np.maximum(smooth, smooth.max() * 10 ** (-35 / 20))
# The loudspeaker ends at some 150 Hz; a head does not matter to such long waves: from 400 Hz down both ears hear the same.
edge = np.abs(hertz - 400).argmin()
low = hertz < 400
part = np.log(np.maximum(hertz[low], 50) / 50) / np.log(400 / 50)
wanted[:, low] = wanted[:, edge : edge + 1] ** part

responses = minimum_phase(wanted)[:, :TAPS]
responses[:, -32:] *= 0.5 + 0.5 * np.cos(np.pi * (np.arange(32) + 0.5) / 32)

# The delay is where the measured response is most like its own minimum phase (Nam, Abel and Smith 2008), below 2 kHz,
# where differences in time count.
keep = 1 / (1 + (hertz / 2000) ** 8)
spectrum = np.fft.rfft(left, FFT) * keep
alike = spectrum * np.conj(np.fft.rfft(minimum_phase(measured), axis=1))
correlation = np.fft.irfft(np.pad(alike, ((0, 0), (0, (FINER - 1) * FFT // 2))), axis=1)[:, : 128 * FINER]
delays = correlation.argmax(axis=1) / FINER
# What is common to both ears is how the loudspeaker was hung: only the difference to the mirrored direction stays.
for elevation in np.unique(ring):
    circle = np.flatnonzero(ring == elevation)
    delays[circle] = (delays[circle] - delays[circle[-np.arange(len(circle))]]) / 2
delays -= delays.min()

table = np.concatenate([delays[:, None], responses], axis=1).astype("<f2")
table.tofile("kemar.f16")
