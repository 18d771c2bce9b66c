#include "binding/mapped_file_wrap.hpp"

#include <utility>

#include "binding/arguments.hpp"
#include "binding/columns.hpp"
#include "binding/decoder_wrap.hpp"
#include "binding/errors.hpp"
#include "binding/exports.hpp"
#include "binding/values.hpp"

namespace mmu::binding {
namespace {

constexpr std::size_t kMaxPathBytes = 4096;  // PATH_MAX of Linux

// Bytes that a decoder sees at once. Bounds how long a call lasts in a file
// that holds few events, and how much of the file is resident.
constexpr std::size_t kWindowBytes = std::size_t{16} << 20;

}  // namespace

Napi::Function MappedFileWrap::define(Napi::Env env) {
  return DefineClass(
      env, kClassName,
      {getter_of<MappedFileWrap, &MappedFileWrap::bytes>("bytes"),
       method_of<MappedFileWrap, &MappedFileWrap::head>("head"),
       method_of<MappedFileWrap, &MappedFileWrap::decode>("decode"),
       method_of<MappedFileWrap, &MappedFileWrap::close>("close")});
}

MappedFileWrap::MappedFileWrap(const Napi::CallbackInfo& info)
    : ObjectWrap(info) {
  file_ = answer(info.Env(), [&] {
    return take(info.Env(),
                MappedFile::open(text(info[0], "path", kMaxPathBytes)));
  });
  bytes_ = file_->bytes();
  info.This().As<Napi::Object>().TypeTag(&kTag);
}

MappedFile& MappedFileWrap::file() {
  if (file_) return *file_;
  throw to_js(Env(), refusal(ErrorCode::kIo, "the file is closed"));
}

Napi::Value MappedFileWrap::bytes(const Napi::CallbackInfo&) {
  return to_js(Env(), std::uint64_t{bytes_});
}

Napi::Value MappedFileWrap::head(const Napi::CallbackInfo& info) {
  const auto length = integer<std::uint64_t>(info[0], "length");
  return to_js(Env(), take(Env(), file().read(0, length)));
}

Napi::Value MappedFileWrap::decode(const Napi::CallbackInfo& info) {
  trace::Decoder& decoder = unwrap<DecoderWrap>(info[0], "decoder").decoder();
  const auto offset = integer<std::uint64_t>(info[1], "offset");
  if (offset > bytes_) {
    throw to_js(Env(),
                refusal(ErrorCode::kConfig, "offset is past the file's end"));
  }
  const SinkBlock block(info, 2);
  trace::EventSink sink = block.sink();
  return to_js(Env(), decode_from(offset, decoder, sink), sink);
}

// One window, or all that is left if a record is longer than a window.
trace::DecodeStep MappedFileWrap::decode_from(std::size_t offset,
                                              trace::Decoder& decoder,
                                              trace::EventSink& sink) {
  const std::size_t at = sink.count;
  file().forget_before(offset / kWindowBytes * kWindowBytes);
  for (std::size_t window = kWindowBytes;; window = bytes_) {
    const auto bytes = take(Env(), file().read(offset, window));
    const bool last = bytes.size() == bytes_ - offset;
    trace::DecodeStep step = decoder.decode(bytes, last, sink);
    const bool moved = step.consumed != 0 || sink.count != at;
    if (moved || last || step.failed) return step;
  }
}

Napi::Value MappedFileWrap::close(const Napi::CallbackInfo&) {
  file_.reset();
  return {};
}

}  // namespace mmu::binding
