// Makes pixels of a plain JPEG on libuv's thread pool: decoded by the libjpeg-turbo inside TensorFlow, already reduced by
// its DCT, brought to size by a Lanczos filter of three lobes, as libvips does, and turned upright; or decoded at its full
// size and sampled.
#include <node_api.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <new>
#include <utility>
#include <vector>

#include "reduction.h"
#include "sampling.h"
#include "tensorflow/core/lib/jpeg/jpeg_mem.h"

namespace {

// The numbers of the plan, in the order of their names.
enum Measure { kCodedWidth, kCodedHeight, kRatio, kColumns, kRows, kColumnShrink, kRowShrink, kOrientation, kMeasures };

constexpr const char* kNames[kMeasures] = {"codedWidth", "codedHeight", "ratio",    "columns",
                                           "rows",       "columnShrink", "rowShrink", "orientation"};

// Samples at ratio 1; they replace the columns and rows of `plan`.
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
  const Reduction reduction = {width, height, decodedWidth, task.Get(kColumns), task.Get(kRows), task.plan[kColumnShrink],
                               task.plan[kRowShrink], task.Get(kOrientation)};
  ReducePixels(pixels.get(), reduction, task.output);
  return true;
}

void Execute(napi_env, void* data) {
  Task& task = *static_cast<Task*>(data);
  try {
    task.isClean = MakeRaster(task);
  } catch (const std::bad_alloc&) {
    // As with damage, the caller falls back to sharp, which reports the cause.
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
