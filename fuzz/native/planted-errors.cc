// Errors that the sanitizers must report; a run in which they do not would prove nothing.
#include <node_api.h>

#include <climits>
#include <cstdint>
#include <memory>

namespace {

int ReadBeyondHeap() {
  const auto bytes = std::make_unique<uint8_t[]>(16);
  volatile int index = 16;
  return bytes[index];
}

int OverflowSigned() {
  volatile int largest = INT_MAX;
  return largest + 1;
}

// plant(isUndefined: boolean): reads beyond the heap, or overflows a signed number.
napi_value Plant(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value argument;
  bool isUndefined = false;
  napi_get_cb_info(env, info, &count, &argument, nullptr, nullptr);
  napi_get_value_bool(env, argument, &isUndefined);
  napi_value result;
  napi_create_int32(env, isUndefined ? OverflowSigned() : ReadBeyondHeap(), &result);
  return result;
}

napi_value Register(napi_env env, napi_value exports) {
  napi_value function;
  napi_create_function(env, "plant", NAPI_AUTO_LENGTH, Plant, nullptr, &function);
  napi_set_named_property(env, exports, "plant", function);
  return exports;
}

}  // namespace

NAPI_MODULE(planted_errors, Register)
