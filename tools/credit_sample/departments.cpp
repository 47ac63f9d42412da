#include "tools/credit_sample/departments.h"

#include <utility>

#include "tools/credit_sample/check_digits.h"

namespace huiliu::tools {
namespace {

Department make(std::string key, std::string name, std::string prefix, std::string region,
                const std::string& organisation_body, std::vector<std::size_t> represents = {}) {
  std::string uscc = "11" + region + organisation_body;
  uscc += organisation_check(organisation_body);
  uscc += uscc_check(uscc);
  return {std::move(key),    std::move(name), std::move(prefix),
          std::move(region), std::move(uscc), std::move(represents)};
}

}  // namespace

const std::vector<Department>& departments() {
  static const std::vector<Department> kDepartments = {
      make("scjg", "龙岩市市场监督管理局", "岩市监", "350800", "00400001"),
      make("jtys", "龙岩市交通运输局", "岩交", "350800", "00400102"),
      make("sthj", "龙岩市生态环境局", "岩环", "350800", "00400203"),
      make("zjj", "龙岩市住房和城乡建设局", "岩建", "350800", "00400304"),
      make("wjw", "龙岩市卫生健康委员会", "岩卫", "350800", "00400405"),
      make("swj", "龙岩市税务局", "岩税", "350800", "00400506"),
      make("rsj", "龙岩市人力资源和社会保障局", "岩人社", "350800", "00400607"),
      make("xlscj", "龙岩市新罗区市场监督管理局", "龙新市监", "350802", "00410708"),
      make("xzfw", "龙岩市行政服务中心管理委员会", "岩政务", "350800", "00400809",
           {kMarket, kTransport, kEnvironment, kHousing, kHealth}),
  };
  return kDepartments;
}

}  // namespace huiliu::tools
