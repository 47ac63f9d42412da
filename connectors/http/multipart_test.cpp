#include "connectors/http/multipart.h"

#include <gtest/gtest.h>

namespace huiliu::connectors {
namespace {

constexpr std::string_view kType = "multipart/form-data; boundary=\"x y\"";

TEST(MultipartTest, FilesComeInTheirOrderAndFieldsAreLeftOut) {
  const std::string body =
      "--x y\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nhello\r\n"
      "--x y\r\ncontent-disposition: form-data; name=\"f\"; filename=\"C:\\\\a\\\\b.csv\"\r\n"
      "Content-Type: text/csv\r\n\r\nid\r\n1\r\n\r\n"
      "--x y\r\nContent-Disposition: form-data; filename=c.xlsx; name=f\r\n\r\n\r\n--x y--\r\n";
  EXPECT_TRUE(is_form("Multipart/Form-Data; boundary=b"));
  EXPECT_FALSE(is_form("text/csv"));
  const auto files = files_of_form(kType, body);
  ASSERT_TRUE(files);
  ASSERT_EQ(files->size(), 2u);
  EXPECT_EQ((*files)[0].name, "b.csv");
  EXPECT_EQ((*files)[0].content_type, "text/csv");
  EXPECT_EQ((*files)[0].body, "id\r\n1\r\n");
  EXPECT_EQ((*files)[1].name, "c.xlsx");
  EXPECT_EQ((*files)[1].body, "");
}

TEST(MultipartTest, WhatIsCutOffAnywhereIsNoForm) {
  const std::string body =
      "--b\r\nContent-Disposition: form-data; name=f; filename=a.csv\r\n\r\nid\r\n1\r\n--b--\r\n";
  const std::string type = "multipart/form-data; boundary=b";
  ASSERT_TRUE(files_of_form(type, body));
  for (std::size_t size = 0; size < body.size() - 2; ++size) {
    EXPECT_FALSE(files_of_form(type, body.substr(0, size))) << size;
  }
  EXPECT_FALSE(files_of_form("multipart/form-data", body));
  EXPECT_FALSE(files_of_form("multipart/form-data; boundary=" + std::string(71, 'b'), body));
  EXPECT_FALSE(files_of_form("multipart/form-data; boundary=\"b", body));
  EXPECT_FALSE(files_of_form("multipart/form-data; x", body));
}

TEST(MultipartTest, FilesHaveABound) {
  std::string body = "--b";
  for (std::size_t i = 0; i <= kMostFiles; ++i) {
    body += "\r\nContent-Disposition: form-data; filename=a.csv\r\n\r\n1\r\n--b";
  }
  EXPECT_FALSE(files_of_form("multipart/form-data; boundary=b", body + "--\r\n"));
}

}  // namespace
}  // namespace huiliu::connectors
