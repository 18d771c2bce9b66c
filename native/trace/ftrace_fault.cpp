#include "trace/ftrace_fault.hpp"

namespace mmu::trace {
namespace {

struct Places {
  const char* vcpu = nullptr;
  const char* gpa = nullptr;
  const char* error_code = nullptr;
};

void read_new(TextReader& reader, Fault& fault, Places& places) {
  places.vcpu = reader.at();
  reader.decimal(fault.vcpu).literal(" rip 0x").hex(fault.rip);
  reader.literal(" address 0x");
  places.gpa = reader.at();
  reader.hex(fault.gpa).literal(" error_code 0x");
  places.error_code = reader.at();
  reader.hex(fault.error_code);
}

void read_old(TextReader& reader, Fault& fault, Places& places) {
  places.gpa = reader.at();
  reader.hex(fault.gpa).literal(" error_code ");
  places.error_code = reader.at();
  reader.hex(fault.error_code);
}

}  // namespace

Mismatch parse_fault(std::string_view fields, Fault& fault) {
  TextReader reader(fields);
  Places places;
  reader.skip_blanks();
  fault.names_vcpu = reader.take("vcpu ");
  if (fault.names_vcpu) {
    read_new(reader, fault, places);
  } else {
    reader.literal("address ");
    read_old(reader, fault, places);
  }
  reader.finish().expect(fault.vcpu <= UINT16_MAX, places.vcpu,
                         "a vCPU below 65536");
  fault.gpa_at = places.gpa;
  fault.error_code_at = places.error_code;
  return reader.mismatch();
}

}  // namespace mmu::trace
