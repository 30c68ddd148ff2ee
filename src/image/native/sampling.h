// Samples of a picture at its full size, as src/image/sampled-line.ts plans them.
#ifndef IMAGE_CHECK_SAMPLING_H_
#define IMAGE_CHECK_SAMPLING_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

// The samples of a line: each the sum of `taps` pixels from its own first one on, weighted.
struct SampledLine {
  std::vector<int32_t> firsts;
  std::vector<float> weights;

  size_t Taps() const { return firsts.empty() ? 0 : weights.size() / firsts.size(); }

  // Whether it stays within a line of `length` pixels.
  bool Fits(int length) const {
    if (firsts.empty() || Taps() == 0 || weights.size() != firsts.size() * Taps()) return false;
    const int64_t last = static_cast<int64_t>(length) - static_cast<int64_t>(Taps());
    return std::all_of(firsts.begin(), firsts.end(), [last](int32_t first) { return first >= 0 && first <= last; });
  }
};

// Writes samples of pixels, uint8 [height, rowPixels, 3], row by row, or with `isTurned` column by column.
inline void SamplePixels(const uint8_t* pixels, size_t rowPixels, const SampledLine& columns, const SampledLine& rows,
                         bool isTurned, uint8_t* output) {
  constexpr size_t kPixel = 3;
  const size_t across = columns.firsts.size();
  const size_t down = rows.firsts.size();
  const size_t columnStep = isTurned ? down * kPixel : kPixel;
  const size_t rowStep = isTurned ? kPixel : across * kPixel;
  for (size_t row = 0; row < down; ++row) {
    for (size_t column = 0; column < across; ++column) {
      float sums[kPixel] = {};
      for (size_t tap = 0; tap < rows.Taps(); ++tap) {
        const size_t start = (rows.firsts[row] + tap) * rowPixels + columns.firsts[column];
        const uint8_t* source = pixels + start * kPixel;
        float line[kPixel] = {};
        for (size_t next = 0; next < columns.Taps(); ++next) {
          const float weight = columns.weights[column * columns.Taps() + next];
          for (size_t channel = 0; channel < kPixel; ++channel) line[channel] += weight * *source++;
        }
        const float weight = rows.weights[row * rows.Taps() + tap];
        for (size_t channel = 0; channel < kPixel; ++channel) sums[channel] += weight * line[channel];
      }
      uint8_t* sample = output + row * rowStep + column * columnStep;
      for (size_t channel = 0; channel < kPixel; ++channel) {
        sample[channel] = static_cast<uint8_t>(std::clamp(sums[channel], 0.0f, 255.0f) + 0.5f);
      }
    }
  }
}

#endif  // IMAGE_CHECK_SAMPLING_H_
