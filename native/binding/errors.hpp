// Refusals out: mmu::Error becomes a JavaScript Error with code, errno and
// values; and guard(), the only try and catch of the project.
#pragma once

#include <concepts>
#include <initializer_list>
#include <new>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "binding/napi.hpp"
#include "core/error.hpp"

namespace mmu::binding {

// A refusal that the binding itself makes.
mmu::Error refusal(ErrorCode code, std::string detail,
                   std::initializer_list<ErrorValue> values = {});

// `error` with one value more, or with that value changed.
mmu::Error with_value(mmu::Error error, ErrorValue value);

// ERR_CONFIG is a RangeError, everything else an Error.
Napi::Error to_js(Napi::Env env, const mmu::Error& error);

// An argument of the wrong type: a TypeError with ERR_CONFIG.
Napi::Error wrong_type(Napi::Env env, const std::string& sentence);

// An error made before the work that may need it, so that its stack shows who
// asked for the work and not the event loop.
class CallerError {
 public:
  explicit CallerError(Napi::Env env);

  Napi::Value become(const mmu::Error& error) const;

 private:
  Napi::ObjectReference object_;
};

// A JavaScript exception on its way, or a refusal in words of the core.
using Failure = std::variant<Napi::Error, mmu::Error>;

Napi::Error to_js(Napi::Env env, const Failure& failure);

// Runs `body` and returns what stopped it. On a pool thread, where no body
// touches JavaScript, a failure is always an mmu::Error.
template <std::invocable Body>
std::optional<Failure> guard(Body&& body) noexcept {
  try {
    body();
    return std::nullopt;
  } catch (Napi::Error& error) {
    return Failure(std::move(error));
  } catch (const std::bad_alloc&) {
    return Failure(
        refusal(ErrorCode::kOutOfMemory, "the process has none left"));
  } catch (const std::exception& error) {
    return Failure(refusal(ErrorCode::kInternal, error.what()));
  } catch (...) {
    return Failure(refusal(ErrorCode::kInternal, "unknown exception"));
  }
}

// What a method returns: the value of `body`, or the failure as an exception
// that node-addon-api hands to JavaScript.
template <std::invocable Body>
std::invoke_result_t<Body> answer(Napi::Env env, Body&& body) {
  std::optional<std::invoke_result_t<Body>> value;
  const std::optional<Failure> failure = guard([&] { value.emplace(body()); });
  if (failure) throw to_js(env, *failure);
  return *std::move(value);
}

// The value of a result, or its refusal as an exception.
template <class T>
T take(Napi::Env env, Result<T> result) {
  if (!result) throw to_js(env, result.error());
  return std::move(result.value());
}

}  // namespace mmu::binding
