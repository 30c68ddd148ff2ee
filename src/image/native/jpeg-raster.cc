// Makes pixels of a plain JPEG on libuv's thread pool: decoded by the libjpeg-turbo inside TensorFlow, already reduced by
// its DCT, brought to size by a Lanczos filter of three lobes, as libvips does, and turned upright; or decoded at its full
// size and sampled.
#include <node_api.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <utility>
#include <vector>

#include "sampling.h"
#include "tensorflow/core/lib/jpeg/jpeg_mem.h"

#ifdef __x86_64__
#include <immintrin.h>
#define WITH_AVX2 __attribute__((target("avx2,fma")))
#endif

namespace {

constexpr int kChannels = 3;
constexpr double kLobes = 3;
constexpr double kPi = 3.14159265358979323846;

// What may be read and written beyond the last value of a row.
constexpr int kSpareValues = 32;

double Lanczos(double x) {
  if (std::fabs(x) < 1e-9) return 1;
  if (std::fabs(x) >= kLobes) return 0;
  const double turn = kPi * x;
  return kLobes * std::sin(turn) * std::sin(turn / kLobes) / (turn * turn);
}

// What pixels of a line, from `first` on, one pixel of the shorter line is the sum of.
struct Taps {
  int first;
  std::vector<float> weights;
};

// Beyond its ends the line goes on as its last pixel; what `to` pixels at that shrink do not cover of it, or cover
// too much, is shared by both ends.
std::vector<Taps> PlanLine(int from, int to, double shrink) {
  const double stretch = std::max(shrink, 1.0);
  const double start = (from - to * shrink) / 2;
  std::vector<Taps> line(to);
  for (int at = 0; at < to; ++at) {
    const double centre = start + (at + 0.5) * shrink - 0.5;
    const int lowest = static_cast<int>(std::ceil(centre - kLobes * stretch));
    const int highest = static_cast<int>(std::floor(centre + kLobes * stretch));
    const int first = std::clamp(lowest, 0, from - 1);
    const int last = std::clamp(highest, 0, from - 1);
    std::vector<float> weights(last - first + 1);
    double sum = 0;
    for (int source = lowest; source <= highest; ++source) {
      const double weight = Lanczos((source - centre) / stretch);
      weights[std::clamp(source, first, last) - first] += static_cast<float>(weight);
      sum += weight;
    }
    // At its own size a pixel is itself alone.
    const auto counts = [](float weight) { return std::fabs(weight) > 1e-6f; };
    const auto begin = std::find_if(weights.begin(), weights.end(), counts);
    const auto end = std::find_if(weights.rbegin(), weights.rend(), counts).base();
    line[at].first = first + static_cast<int>(begin - weights.begin());
    for (auto weight = begin; weight != end; ++weight)
      line[at].weights.push_back(*weight / static_cast<float>(sum));
  }
  return line;
}

// To the next whole number of 0 to 255.
int Round(float value) { return static_cast<int>(std::clamp(value, 0.0f, 255.0f) + 0.5f); }

// Sums `rowValues` values of whole rows, to whole numbers as libvips does; the rows follow each other.
void SumRows(const uint8_t* rows, int rowValues, const std::vector<float>& weights, float* sums) {
  std::fill(sums, sums + rowValues, 0.0f);
  for (const float weight : weights) {
    for (int at = 0; at < rowValues; ++at) sums[at] += weight * rows[at];
    rows += rowValues;
  }
  for (int at = 0; at < rowValues; ++at) sums[at] = Round(sums[at]);
}

#ifdef WITH_AVX2
// The same, 32 values at once: half of all the time that making a raster takes goes by here.
WITH_AVX2 void SumRowsAvx2(const uint8_t* rows, int rowValues, const std::vector<float>& weights, float* sums) {
  const __m256 highest = _mm256_set1_ps(255);
  for (int at = 0; at < rowValues; at += kSpareValues) {
    __m256 parts[4] = {_mm256_setzero_ps(), _mm256_setzero_ps(), _mm256_setzero_ps(), _mm256_setzero_ps()};
    const uint8_t* row = rows + at;
    for (const float weight : weights) {
      const __m256 factor = _mm256_set1_ps(weight);
      for (int part = 0; part < 4; ++part) {
        const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(row + 8 * part));
        parts[part] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(bytes)), factor, parts[part]);
      }
      row += rowValues;
    }
    for (int part = 0; part < 4; ++part) {
      const __m256 inRange = _mm256_min_ps(_mm256_max_ps(parts[part], _mm256_setzero_ps()), highest);
      const int nearest = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;
      _mm256_storeu_ps(sums + at + 8 * part, _mm256_round_ps(inRange, nearest));
    }
  }
}
#endif

// Where the pixels of an upright picture are in memory, as seen from the picture as it was coded.
struct Walk {
  uint8_t* start;
  ptrdiff_t column;
  ptrdiff_t row;
};

// EXIF orientations 1 to 8 (TIFF 6.0) of a picture that has `columns` and `rows` as it was coded.
Walk PlanWalk(uint8_t* output, int columns, int rows, int orientation) {
  const bool isTurned = orientation >= 5;
  const ptrdiff_t pixel = kChannels;
  const ptrdiff_t line = pixel * (isTurned ? rows : columns);
  const ptrdiff_t right = line - pixel;
  const ptrdiff_t bottom = line * ((isTurned ? columns : rows) - 1);
  switch (orientation) {
    case 2: return {output + right, -pixel, line};
    case 3: return {output + right + bottom, -pixel, -line};
    case 4: return {output + bottom, pixel, -line};
    case 5: return {output, line, pixel};
    case 6: return {output + right, line, -pixel};
    case 7: return {output + right + bottom, -line, -pixel};
    case 8: return {output + bottom, -line, pixel};
    default: return {output, pixel, line};
  }
}

void WriteRow(const float* sums, const std::vector<Taps>& line, uint8_t* output, ptrdiff_t step) {
  for (const Taps& taps : line) {
    const float* source = sums + static_cast<size_t>(taps.first) * kChannels;
    float pixel[kChannels] = {};
    for (const float weight : taps.weights) {
      for (int channel = 0; channel < kChannels; ++channel) pixel[channel] += weight * *source++;
    }
    for (int channel = 0; channel < kChannels; ++channel) output[channel] = static_cast<uint8_t>(Round(pixel[channel]));
    output += step;
  }
}

#ifdef WITH_AVX2
// The same, three colours and whatever comes after at once, and two sums: an addition does not wait for the one before.
WITH_AVX2 void WriteRowAvx2(const float* sums, const std::vector<Taps>& line, uint8_t* output, ptrdiff_t step) {
  for (const Taps& taps : line) {
    const float* source = sums + static_cast<size_t>(taps.first) * kChannels;
    const float* weight = taps.weights.data();
    const float* const end = weight + taps.weights.size();
    __m128 even = _mm_setzero_ps();
    __m128 odd = _mm_setzero_ps();
    for (; weight + 1 < end; weight += 2, source += 2 * kChannels) {
      even = _mm_fmadd_ps(_mm_loadu_ps(source), _mm_set1_ps(weight[0]), even);
      odd = _mm_fmadd_ps(_mm_loadu_ps(source + kChannels), _mm_set1_ps(weight[1]), odd);
    }
    if (weight < end) even = _mm_fmadd_ps(_mm_loadu_ps(source), _mm_set1_ps(*weight), even);
    // Both packings keep to 0…255.
    const __m128i whole = _mm_cvtps_epi32(_mm_add_ps(even, odd));
    const int pixel = _mm_cvtsi128_si32(_mm_packus_epi16(_mm_packs_epi32(whole, whole), whole));
    std::memcpy(output, &pixel, kChannels);
    output += step;
  }
}
#endif

// The numbers of the plan, in the order of their names.
enum Measure { kCodedWidth, kCodedHeight, kRatio, kColumns, kRows, kColumnShrink, kRowShrink, kOrientation, kMeasures };

constexpr const char* kNames[kMeasures] = {"codedWidth", "codedHeight", "ratio",    "columns",
                                           "rows",       "columnShrink", "rowShrink", "orientation"};

// What is sampled, at ratio 1, in place of what `plan` says of columns and rows.
struct Sampling {
  SampledLine columns;
  SampledLine rows;
  bool isTurned = false;
  bool isFastDct = false;
};

struct Task {
  const uint8_t* bytes = nullptr;
  size_t length = 0;
  double plan[kMeasures] = {};
  std::unique_ptr<Sampling> sampling;
  uint8_t* output = nullptr;
  bool isClean = false;
  napi_deferred deferred = nullptr;
  napi_ref input = nullptr;
  napi_ref pixels = nullptr;
  napi_async_work work = nullptr;

  int Get(Measure measure) const { return static_cast<int>(plan[measure]); }
};

struct Decoded {
  std::unique_ptr<uint8_t[]> pixels;
  int width = 0;
  int height = 0;
};

// Answers whether the JPEG decoded without a warning.
bool Decode(const Task& task, Decoded& decoded) {
  tensorflow::jpeg::UncompressFlags flags;
  flags.ratio = task.Get(kRatio);
  flags.components = kChannels;
  flags.dct_method = task.sampling && task.sampling->isFastDct ? JDCT_IFAST : JDCT_ISLOW;
  int64_t warnings = 0;
  const auto allocate = [&](int columns, int rows, int components) -> uint8_t* {
    decoded.width = columns;
    decoded.height = rows;
    const size_t bytes = static_cast<size_t>(columns) * rows * components;
    if (components == kChannels) decoded.pixels.reset(new uint8_t[bytes + kSpareValues]);
    return decoded.pixels.get();
  };
  const auto length = static_cast<int>(task.length);
  return tensorflow::jpeg::Uncompress(task.bytes, length, flags, &warnings, allocate) != nullptr && warnings == 0;
}

// Answers whether the JPEG decoded without a warning.
bool MakeRaster(const Task& task) {
  Decoded decoded;
  if (!Decode(task, decoded)) return false;
  const auto& [pixels, decodedWidth, decodedHeight] = decoded;
  // libjpeg rounds up what it reduces; the last column and row are not whole then, and left out.
  const int width = task.Get(kCodedWidth) / task.Get(kRatio);
  const int height = task.Get(kCodedHeight) / task.Get(kRatio);
  if (decodedWidth < width || decodedHeight < height) return false;
  if (task.sampling) {
    const Sampling& sampling = *task.sampling;
    SamplePixels(pixels.get(), decodedWidth, sampling.columns, sampling.rows, sampling.isTurned, task.output);
    return true;
  }
  if (width == task.Get(kColumns) && height == task.Get(kRows) && task.Get(kOrientation) == 1) {
    for (int row = 0; row < height; ++row) {
      const size_t rowBytes = static_cast<size_t>(width) * kChannels;
      std::copy_n(pixels.get() + static_cast<size_t>(row) * decodedWidth * kChannels, rowBytes, task.output + row * rowBytes);
    }
    return true;
  }
  const std::vector<Taps> columns = PlanLine(width, task.Get(kColumns), task.plan[kColumnShrink]);
  const std::vector<Taps> rows = PlanLine(height, task.Get(kRows), task.plan[kRowShrink]);
  const int rowValues = decodedWidth * kChannels;
  std::vector<float> sums(rowValues + kSpareValues);
  auto sumRows = SumRows;
  auto writeRow = WriteRow;
#ifdef WITH_AVX2
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    sumRows = SumRowsAvx2;
    writeRow = WriteRowAvx2;
  }
#endif
  const Walk walk = PlanWalk(task.output, task.Get(kColumns), task.Get(kRows), task.Get(kOrientation));
  uint8_t* output = walk.start;
  for (const Taps& taps : rows) {
    sumRows(pixels.get() + static_cast<size_t>(taps.first) * rowValues, rowValues, taps.weights, sums.data());
    writeRow(sums.data(), columns, output, walk.column);
    output += walk.row;
  }
  return true;
}

void Execute(napi_env, void* data) {
  Task& task = *static_cast<Task*>(data);
  try {
    task.isClean = MakeRaster(task);
  } catch (const std::bad_alloc&) {
    // As with damage: whoever asked has another way, which tells why it fails.
  }
}

void Complete(napi_env env, napi_status, void* data) {
  const std::unique_ptr<Task> task(static_cast<Task*>(data));
  napi_value result;
  napi_get_boolean(env, task->isClean, &result);
  napi_resolve_deferred(env, task->deferred, result);
  napi_delete_reference(env, task->input);
  napi_delete_reference(env, task->pixels);
  napi_delete_async_work(env, task->work);
}

// Sides are bounded by what a JPEG can have, so that no product of two overflows.
bool ReadPlan(napi_env env, napi_value object, double* plan) {
  constexpr double kMaxSide = 65535;
  constexpr double kHighest[kMeasures] = {kMaxSide, kMaxSide, 8, kMaxSide, kMaxSide, kMaxSide, kMaxSide, 8};
  for (int measure = 0; measure < kMeasures; ++measure) {
    napi_value value;
    const bool isNumber = napi_get_named_property(env, object, kNames[measure], &value) == napi_ok &&
                          napi_get_value_double(env, value, &plan[measure]) == napi_ok;
    const double lowest = measure == kColumnShrink || measure == kRowShrink ? 1e-3 : 1;
    if (!isNumber || !(plan[measure] >= lowest && plan[measure] <= kHighest[measure])) return false;
  }
  return plan[kCodedWidth] >= plan[kRatio] && plan[kCodedHeight] >= plan[kRatio];
}

bool ReadBytes(napi_env env, napi_value value, uint8_t** bytes, size_t* length) {
  napi_typedarray_type type;
  void* data = nullptr;
  if (napi_get_typedarray_info(env, value, &type, length, &data, nullptr, nullptr) != napi_ok) return false;
  *bytes = static_cast<uint8_t*>(data);
  return type == napi_uint8_array;
}

template <typename T>
bool ReadNumbers(napi_env env, napi_value object, const char* name, napi_typedarray_type wanted, std::vector<T>& numbers) {
  napi_value array;
  napi_typedarray_type type;
  size_t length = 0;
  void* data = nullptr;
  if (napi_get_named_property(env, object, name, &array) != napi_ok ||
      napi_get_typedarray_info(env, array, &type, &length, &data, nullptr, nullptr) != napi_ok || type != wanted) {
    return false;
  }
  const T* first = static_cast<const T*>(data);
  numbers.assign(first, first + length);
  return true;
}

bool ReadFlag(napi_env env, napi_value object, const char* name, bool* flag) {
  napi_value value;
  return napi_get_named_property(env, object, name, &value) == napi_ok && napi_get_value_bool(env, value, flag) == napi_ok;
}

bool ReadLine(napi_env env, napi_value object, const char* name, SampledLine& line) {
  napi_value value;
  return napi_get_named_property(env, object, name, &value) == napi_ok &&
         ReadNumbers(env, value, "firsts", napi_int32_array, line.firsts) &&
         ReadNumbers(env, value, "weights", napi_float32_array, line.weights);
}

// Reads the samples, where there are any, and whether they are of the picture and as many as the plan says.
bool ReadSampling(napi_env env, napi_value object, Task& task) {
  napi_valuetype type;
  if (napi_typeof(env, object, &type) != napi_ok) return false;
  if (type == napi_undefined) return true;
  auto sampling = std::make_unique<Sampling>();
  const bool isRead = ReadLine(env, object, "columns", sampling->columns) && ReadLine(env, object, "rows", sampling->rows) &&
                      ReadFlag(env, object, "isTurned", &sampling->isTurned) &&
                      ReadFlag(env, object, "isFastDct", &sampling->isFastDct);
  if (!isRead || task.plan[kRatio] != 1) return false;
  if (sampling->columns.firsts.size() != task.plan[kColumns] || sampling->rows.firsts.size() != task.plan[kRows]) return false;
  if (!sampling->columns.Fits(task.Get(kCodedWidth)) || !sampling->rows.Fits(task.Get(kCodedHeight))) return false;
  task.sampling = std::move(sampling);
  return true;
}

// makeRaster(bytes: Uint8Array, plan, pixels: Uint8Array, sampling?): writes the upright picture, uint8
// [height, width, 3]; false where the JPEG does not decode without a warning.
napi_value StartMakingRaster(napi_env env, napi_callback_info info) {
  size_t count = 4;
  napi_value arguments[4];
  auto task = std::make_unique<Task>();
  uint8_t* bytes = nullptr;
  size_t outputBytes = 0;
  const bool isUnderstood = napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr) == napi_ok && count >= 3 &&
                            ReadBytes(env, arguments[0], &bytes, &task->length) && task->length <= INT32_MAX &&
                            ReadPlan(env, arguments[1], task->plan) &&
                            ReadBytes(env, arguments[2], &task->output, &outputBytes) &&
                            outputBytes == static_cast<size_t>(task->Get(kColumns)) * task->Get(kRows) * kChannels &&
                            ReadSampling(env, arguments[3], *task);
  if (!isUnderstood) {
    napi_throw_type_error(env, nullptr, "makeRaster takes the bytes of a JPEG, a plan, memory of its size, and samples of the picture");
    return nullptr;
  }
  task->bytes = bytes;
  napi_value promise = nullptr;
  napi_value name;
  napi_create_reference(env, arguments[0], 1, &task->input);
  napi_create_reference(env, arguments[2], 1, &task->pixels);
  napi_create_promise(env, &task->deferred, &promise);
  napi_create_string_utf8(env, "jpeg-raster", NAPI_AUTO_LENGTH, &name);
  napi_create_async_work(env, nullptr, name, Execute, Complete, task.get(), &task->work);
  napi_queue_async_work(env, task.release()->work);
  return promise;
}

napi_value Register(napi_env env, napi_value exports) {
  napi_value function;
  napi_create_function(env, "makeRaster", NAPI_AUTO_LENGTH, StartMakingRaster, nullptr, &function);
  napi_set_named_property(env, exports, "makeRaster", function);
  return exports;
}

}  // namespace

NAPI_MODULE(jpeg_raster, Register)
