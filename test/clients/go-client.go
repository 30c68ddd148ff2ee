// Sends two pictures by net/http and mime/multipart, in the ways that their users do; prints one JSON line for each.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"os"
	"path/filepath"
)

var (
	plain  = []string{"one.jpg", "two.jpg"}
	odd    = []string{"фото 写真.jpg", `a "quoted" name.jpg`}
	spaces = []string{"with some spaces.jpg", "two.jpg"}
)

type createPart func(form *multipart.Writer, name string) (io.Writer, error)

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func formFile(form *multipart.Writer, name string) (io.Writer, error) {
	return form.CreateFormFile("image", name)
}

func formField(form *multipart.Writer, _ string) (io.Writer, error) {
	return form.CreateFormField("image")
}

// withHeader is how a part gets a type of its own: by CreatePart, with a disposition that people write themselves.
func withHeader(disposition func(name string) string, more map[string]string) createPart {
	return func(form *multipart.Writer, name string) (io.Writer, error) {
		header := textproto.MIMEHeader{"Content-Disposition": {disposition(name)}}
		for key, value := range more {
			header.Set(key, value)
		}
		return form.CreatePart(header)
	}
}

func quoted(name string) string {
	return fmt.Sprintf(`form-data; name="image"; filename=%q`, name)
}

func unnamed(string) string {
	return `form-data; name="image"`
}

// formatted writes tokens without quotes, and names that are not ASCII as filename*.
func formatted(name string) string {
	return mime.FormatMediaType("form-data", map[string]string{"name": "image", "filename": name})
}

func writeForm(form *multipart.Writer, folder string, names []string, create createPart, model string) {
	if model != "" {
		must(0, form.WriteField("model", model))
	}
	for _, name := range names {
		file := must(os.Open(filepath.Join(folder, name)))
		must(io.Copy(must(create(form, name)), file))
		file.Close()
	}
	must(0, form.Close())
}

func main() {
	url, folder := os.Args[1]+"/v1/check", os.Args[2]
	jpeg := map[string]string{"Content-Type": "image/jpeg"}
	binary := map[string]string{"Content-Type": "image/jpeg", "Content-Transfer-Encoding": "binary"}
	ways := []struct {
		name   string
		names  []string
		create createPart
		model  string
	}{
		{"CreateFormFile", plain, formFile, ""},
		{"CreateFormFile, odd names", odd, formFile, ""},
		{"CreateFormFile, name with spaces", spaces, formFile, ""},
		{"CreateFormField", plain, formField, ""},
		{"CreatePart with a type", plain, withHeader(quoted, jpeg), ""},
		{"CreatePart, odd names", odd, withHeader(quoted, jpeg), ""},
		{"CreatePart without a type", plain, withHeader(quoted, nil), ""},
		{"CreatePart with a type and no name", plain, withHeader(unnamed, jpeg), ""},
		{"CreatePart with a transfer encoding", plain, withHeader(unnamed, binary), ""},
		{"FormatMediaType", plain, withHeader(formatted, jpeg), ""},
		{"FormatMediaType, odd names", odd, withHeader(formatted, jpeg), ""},
		{"model", plain, formFile, "no-such-model"},
	}
	for _, way := range ways {
		for _, isStreamed := range []bool{false, true} {
			var body io.Reader
			var form *multipart.Writer
			label := way.name
			if isStreamed {
				reader, writer := io.Pipe()
				body, form, label = reader, multipart.NewWriter(writer), label+", streamed"
				go func() {
					writeForm(form, folder, way.names, way.create, way.model)
					writer.Close()
				}()
			} else {
				buffer := &bytes.Buffer{}
				body, form = buffer, multipart.NewWriter(buffer)
				writeForm(form, folder, way.names, way.create, way.model)
			}
			answer := must(http.Post(url, form.FormDataContentType(), body))
			text := string(must(io.ReadAll(answer.Body)))
			answer.Body.Close()
			fmt.Println(string(must(json.Marshal(map[string]any{"way": label, "status": answer.StatusCode, "body": text}))))
		}
	}
}
